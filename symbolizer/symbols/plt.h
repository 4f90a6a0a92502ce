// Names for the stubs of the procedure linkage table: "memcpy@plt". No symbol table has them.
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_PLT_H
#define HEARTH_SYMBOLIZER_SYMBOLS_PLT_H

#include "symbolizer/symbols/symbol_table.h"

// Adds what .plt, .plt.sec and .plt.got jump to, by the slot of the global offset table each stub reads and the
// relocation that fills this slot. x86-64 and aarch64.
int plt__add(struct elf_file *file, struct symbol_table *table);

#endif
