// The symbols of an ELF file that name code, as layers for range__flatten.
//
// A symbol with a size covers that many bytes and no more. One without reaches, in .symtab, to the next symbol or to
// the end of its section; in .dynsym, where the local ones between are missing, it covers its first byte only.
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_SYMBOL_TABLE_H
#define HEARTH_SYMBOLIZER_SYMBOLS_SYMBOL_TABLE_H

#include "symbolizer/elf/elf_file.h"
#include "symbolizer/index/string_pool.h"

#define SYMBOL_SOURCES 3 // the file and its MiniDebugInfo, and what has no place in either

struct symbol_table {
    uint64_t base;                           // addresses are relative to it
    struct buf symbols;                      // struct symbol_entry
    struct buf contents;                     // names that were made up, or cut: the first of the sources
    struct elf_data sources[SYMBOL_SOURCES]; // of names: string tables of the files, borrowed
    size_t source_count;
};

void symbol_table__release(struct symbol_table *table);

// Adds the symbols of .symtab, or else of .dynsym. `file` may be a debug file: its section headers still say which
// sections are code. The names stay where they are: the file must live as long as the table. -E2BIG: a third file.
int symbol_table__add_elf(struct symbol_table *table, struct elf_file *file);

// Adds one name made up by hearth (a PLT entry, a function of Go's tables). A symbol of the file goes before a made-up
// one.
int symbol_table__add(struct symbol_table *table, uint64_t address, uint64_t bytes, const char *name);

// The best name of a symbol of the file that begins exactly there; NULL: none. Looks at all; valid until the next is
// added.
const char *symbol_table__name_at(const struct symbol_table *table, uint64_t address);

// Flattens everything into `ranges`, with the names in `pool`: of a pool with few strings whole string tables.
int symbol_table__flatten(struct symbol_table *table, struct string_pool *pool, struct buf *ranges);

#endif
