// Reads the functions and inlined calls of a unit by libdw.
#ifndef HEARTH_SYMBOLIZER_DWARF_LIBDW_FUNCTIONS_H
#define HEARTH_SYMBOLIZER_DWARF_LIBDW_FUNCTIONS_H

#include <elfutils/libdw.h>

#include "symbolizer/dwarf/dwarf_sink.h"

// -EBADMSG: damaged; the functions before the damage are in the sink.
int libdw_functions__walk(Dwarf_Die *unit, struct dwarf_sink *sink);

#endif
