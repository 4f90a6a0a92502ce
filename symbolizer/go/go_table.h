// Go's own table of functions and lines (.gopclntab), which is there also in stripped binaries: the runtime needs it.
//
// Of Go 1.16 and later. Functions inlined into another are told by the trees that go_inlines.h reads.
#ifndef HEARTH_SYMBOLIZER_GO_GO_TABLE_H
#define HEARTH_SYMBOLIZER_GO_GO_TABLE_H

#include "symbolizer/dwarf/dwarf_sink.h"
#include "symbolizer/symbols/symbol_table.h"

// Adds names to the table and lines to the sink. -ENOENT: no Go binary; -EBADMSG: damaged, or of an unknown version.
int go_table__add(struct elf_file *file, struct symbol_table *table, struct dwarf_sink *sink);

#endif
