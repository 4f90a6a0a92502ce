// Names for code that is only ever returned to, by its instructions, in files without a symbol table: what a signal
// handler returns to, and what a makecontext() coroutine does.
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_TRAMPOLINES_H
#define HEARTH_SYMBOLIZER_SYMBOLS_TRAMPOLINES_H

#include "symbolizer/elf/elf_file.h"
#include "symbolizer/symbols/symbol_table.h"

// Adds `__restore_rt` and `__start_context` where they are found. -ENOENT: not looked for.
int trampolines__add(struct elf_file *file, struct symbol_table *table);

#endif
