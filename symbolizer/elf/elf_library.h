// The reader of ELF headers for the worker: libelf gives the segments, the sections and their names. ELF_C_READ makes
// libelf read a descriptor by pread and a part at a time; it opens and maps nothing. In the worker's filter its fstat()
// fails, so libelf does not know the file's size: elf_bounded.c holds the tables against it before.
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_LIBRARY_H
#define HEARTH_SYMBOLIZER_ELF_ELF_LIBRARY_H

#include <gelf.h>

#include "symbolizer/elf/elf_bytes.h"

// The tables of segments and of sections. -EBADMSG; -ENOMEM.
int elf_library__read_tables(struct elf_file *file, const struct elf_tables *tables);
void elf_library__end(struct elf_file *file);

// A handle for elf_end(); NULL: no memory.
Elf *elf_library__begin(const struct elf_file *file);

#endif
