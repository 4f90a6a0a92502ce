// The functions and inlined calls of a unit, and its line rows, as libdw reads them.
#ifndef HEARTH_SYMBOLIZER_LIBDW_FUNCTIONS_H
#define HEARTH_SYMBOLIZER_LIBDW_FUNCTIONS_H

#include <elfutils/libdw.h>

#include "symbolizer/dwarf_sink.h"

// -EBADMSG: damaged; what was found before the damage is in the sink.
int libdw_functions__walk(Dwarf_Die *unit, struct dwarf_sink *sink);

#endif
