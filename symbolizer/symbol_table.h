// The symbols of an ELF file that name code, as layers for range__flatten.
//
// A symbol with a size covers that many bytes and no more. One without reaches, in .symtab, to the next symbol or to
// the end of its section; in .dynsym, where the local ones between are missing, it covers its first byte only.
#ifndef HEARTH_SYMBOLIZER_SYMBOL_TABLE_H
#define HEARTH_SYMBOLIZER_SYMBOL_TABLE_H

#include "symbolizer/elf_file.h"
#include "symbolizer/string_pool.h"

struct symbol_table {
    uint64_t base;       // addresses are relative to it
    struct buf symbols;  // struct symbol_entry
    struct buf contents; // the names, one after the other
};

void symbol_table__release(struct symbol_table *table);

// Adds the symbols of .symtab, or else of .dynsym. `file` may be a debug file: its section headers still say which
// sections are code.
int symbol_table__add_elf(struct symbol_table *table, struct elf_file *file);

// Adds one name made up by hearth (a PLT entry, a function of Go's tables). It yields to the symbols of the file.
int symbol_table__add(struct symbol_table *table, uint64_t address, uint64_t bytes, const char *name);

// The best name of a symbol of the file that begins exactly there; NULL: none. Looks at all; valid until the next is
// added.
const char *symbol_table__name_at(const struct symbol_table *table, uint64_t address);

// Flattens everything into `ranges`, with the names in `pool`.
int symbol_table__flatten(struct symbol_table *table, struct string_pool *pool, struct buf *ranges);

#endif
