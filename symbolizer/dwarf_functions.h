// The functions of a unit and what is inlined into them, by one walk over its entries.
#ifndef HEARTH_SYMBOLIZER_DWARF_FUNCTIONS_H
#define HEARTH_SYMBOLIZER_DWARF_FUNCTIONS_H

#include "symbolizer/dwarf_file.h"
#include "symbolizer/dwarf_lines.h"
#include "symbolizer/dwarf_sink.h"

// Adds the unit's scopes and ranges to the sink. The unit's root has been read; `files` are those of its line program.
// -EBADMSG: damaged; what was found before the damage is kept.
int dwarf_functions__walk(struct dwarf_unit *unit, struct dwarf_files *files, struct dwarf_sink *sink);

// Whether functions of a DW_AT_language are shown by DW_AT_name rather than by their linkage name.
bool dwarf_functions__are_named_plainly(uint64_t language);
// Whether they are an assembler's labels: INDEX_SCOPE_BARE.
bool dwarf_functions__are_labels(uint64_t language);

#endif
