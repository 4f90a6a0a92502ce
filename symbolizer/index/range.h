// Address ranges that may nest or overlap, flattened into sorted disjoint ones: the form every table of an index has.
//
//   outer  [10 ................ 50)          [10 20) outer
//   inner        [20 .... 30)          ->    [20 30) inner
//                                            [30 50) outer
#ifndef HEARTH_SYMBOLIZER_INDEX_RANGE_H
#define HEARTH_SYMBOLIZER_INDEX_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"

struct range { // [start, end), addresses relative to the base of the index
    uint32_t start;
    uint32_t end;
    uint32_t value;
};

struct layer {
    uint32_t start;
    uint32_t end;
    uint32_t value;
    uint32_t rank; // of two with the same bounds the higher one is seen
};

// Sorts items whose first member is a uint32_t by it, and keeps the order of those that are equal. -ENOMEM.
int range__sort(void *items, size_t item_bytes, size_t count);

// Sorts `layers` and appends what is seen of them from above to `ranges` (struct range): a later start lies above an
// earlier one, of equal starts the shorter lies above the longer, of equal ranges the later in the array above the
// earlier. Neighbours with one value are joined. -ENOMEM.
int range__flatten(struct layer *layers, size_t count, struct buf *ranges);

// The last range that begins at or before `address` and holds it; NULL: none.
const struct range *range__find(const struct range *ranges, size_t count, uint32_t address);

#endif
