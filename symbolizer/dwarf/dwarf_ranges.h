// The root of a unit, and the address ranges of an entry: low and high pc, .debug_ranges, .debug_rnglists, whole or
// split.
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_RANGES_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_RANGES_H

#include "symbolizer/dwarf/dwarf_value.h"

struct dwarf_bounds { // the attributes that say where an entry's code is
    struct dwarf_value low;
    struct dwarf_value high;
    struct dwarf_value ranges;
};

// Called for each range, low < high. Returns false to stop.
typedef bool dwarf_range_fn(uint64_t low, uint64_t high, void *context);

// `read` counts the rows of lists that were looked at: past LIMIT_RANGES, the rest is left, for lists may be shared.
void dwarf_ranges__each(const struct dwarf_unit *unit, const struct dwarf_bounds *bounds, uint64_t *read,
                        dwarf_range_fn *take, void *context);

// Reads the root entry of a unit into it, and says where its code is. -EBADMSG.
int dwarf_unit__read_root(struct dwarf_unit *unit, struct dwarf_bounds *ret_bounds);

#endif
