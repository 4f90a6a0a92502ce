// The functions of a unit and what is inlined into them, by one walk over its entries.
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_FUNCTIONS_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_FUNCTIONS_H

#include "symbolizer/dwarf/dwarf_file.h"
#include "symbolizer/dwarf/dwarf_lines.h"
#include "symbolizer/dwarf/dwarf_sink.h"

// Adds the unit's scopes and ranges to the sink. The unit's root has been read; `files` are those of its line program.
// -EBADMSG: damaged; the functions before the damage are kept.
int dwarf_functions__walk(struct dwarf_unit *unit, struct dwarf_files *files, struct dwarf_sink *sink);

// The name that an entry of a unit in `language` (DW_AT_language) is shown by: its DW_AT_name or its linkage name, each
// of which may be NULL. NULL: the entry that it refers to may know better; the other name is then in *fallback, unless
// there was one.
const char *dwarf_functions__choose_name(uint64_t language, const char *name, const char *linkage_name,
                                         const char **fallback);
// Whether its functions are an assembler's labels: INDEX_SCOPE_BARE.
bool dwarf_functions__are_labels(uint64_t language);

#endif
