// The line of a place in a guest's code, by the table that the runtime itself keeps. In the worker alone: the table is
// a stranger's.
#ifndef HEARTH_SYMBOLIZER_GUESTS_GUEST_LINES_H
#define HEARTH_SYMBOLIZER_GUESTS_GUEST_LINES_H

#include <stddef.h>
#include <stdint.h>

struct guest_place {
    uint32_t kind;    // enum wire_guest_kind
    uint32_t version; // of the guest
    uint32_t first_line;
    uint32_t place;
    uint32_t table_bytes; // of what follows
};

// 0: not known. Time is as the table is long.
uint32_t guest_lines__find(const struct guest_place *place, const uint8_t *table);

#endif
