// The line rows of a unit, as libdw reads them.
#ifndef HEARTH_SYMBOLIZER_LIBDW_LINES_H
#define HEARTH_SYMBOLIZER_LIBDW_LINES_H

#include <elfutils/libdw.h>

#include "symbolizer/dwarf_sink.h"

// 0 also for a unit without lines; -EBADMSG: damaged; -E2BIG: over LIMIT_LINE_ROWS.
int libdw_lines__read(Dwarf_Die *unit, struct dwarf_sink *sink);

// The folder of the unit's compilation; NULL: unknown.
const char *libdw_lines__folder(Dwarf_Die *unit);
// A path as libdw has it, in the pool and spelled as our own reader does; 0: none, or too long.
uint32_t libdw_lines__path(const char *folder, const char *path, struct string_pool *pool);

#endif
