// Reads the line rows of a unit by libdw.
#ifndef HEARTH_SYMBOLIZER_DWARF_LIBDW_LINES_H
#define HEARTH_SYMBOLIZER_DWARF_LIBDW_LINES_H

#include <elfutils/libdw.h>

#include "symbolizer/dwarf/dwarf_sink.h"

// 0 also for a unit without lines; -EBADMSG: damaged; -E2BIG: over LIMIT_LINE_ROWS.
int libdw_lines__read(Dwarf_Die *unit, struct dwarf_sink *sink);

// The folder of the unit's compilation; NULL: unknown.
const char *libdw_lines__folder(Dwarf_Die *unit);
// Adds a path of libdw's to the pool, spelled as our own reader spells it; 0: none, or too long.
uint32_t libdw_lines__path(const char *folder, const char *path, struct string_pool *pool);

#endif
