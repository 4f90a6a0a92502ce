// Reads the functions and inlined calls of a unit by libdw.
#ifndef HEARTH_SYMBOLIZER_DWARF_LIBDW_FUNCTIONS_H
#define HEARTH_SYMBOLIZER_DWARF_LIBDW_FUNCTIONS_H

#include <elfutils/libdw.h>

#include "symbolizer/dwarf/dwarf_lines.h"
#include "symbolizer/dwarf/dwarf_sink.h"

struct libdw_half { // the split half of a unit: libdw reads its entries, our own reader their addresses and files
    const struct dwarf_unit *unit; // with its skeleton
    struct dwarf_files *files;     // of the skeleton's line program
    const uint8_t *info;           // where libdw has the half's .debug_info
};

// `half` is NULL for a unit that is whole. -EBADMSG: damaged; the functions before the damage are in the sink.
int libdw_functions__walk(Dwarf_Die *unit, const struct libdw_half *half, struct dwarf_sink *sink);

#endif
