// The rows of one table of an ELF file, read and checked by libelf: symbols, relocations, the dynamic section, notes.
// In the worker alone. Each table has a handle of libelf for itself, since libelf frees what it has read in elf_end()
// and not before.
//
//   elf_rows__open(file, elf_file__find(file, ".rela.dyn"), 0, &rows);
//   gelf_getrela(rows.data, i, &row);                                     for each i below rows.count
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_ROWS_H
#define HEARTH_SYMBOLIZER_ELF_ELF_ROWS_H

#include <gelf.h>

#include "symbolizer/elf/elf_section.h"

struct elf_file;

struct elf_rows {
    Elf *elf;
    Elf_Data *data; // NULL: no rows
    size_t count;   // of notes: 0
};

// The rows of a section from `first` on, as many as are whole. -EBADMSG: it is not in the file, or `first` is past it;
// -EOPNOTSUPP: a section of another kind, or a file opened without libelf.
int elf_rows__open(const struct elf_file *file, const struct elf_section *section, uint64_t first,
                   struct elf_rows *ret_rows);
// Notes, which also stand in segments.
int elf_rows__open_notes(const struct elf_file *file, uint64_t offset, uint64_t bytes, struct elf_rows *ret_rows);
void elf_rows__release(struct elf_rows *rows);

// All rows as they stand in memory, in the file's class: for elf_file__symbol(), which costs less than gelf_getsym().
struct elf_data elf_rows__bytes(const struct elf_rows *rows);

#endif
