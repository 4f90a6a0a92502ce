// An index in the making: what its makers know, in the form they know it, and how it is written.
#ifndef HEARTH_SYMBOLIZER_INDEX_INDEX_PARTS_H
#define HEARTH_SYMBOLIZER_INDEX_INDEX_PARTS_H

#include "store/base/buf.h"
#include "symbolizer/index/index.h"

struct index_line {
    uint32_t start;
    uint32_t file;
    uint32_t line; // 0: code of no line; file 0 too: nothing is known from here on
};

struct index_parts {
    uint64_t base;
    uint8_t build_id[20];
    size_t build_id_bytes;
    bool complete;
    bool has_dwarf;
    uint32_t refused;    // as in the index
    struct buf segments; // struct index_segment
    struct buf units;    // struct range, disjoint and in order; value as in the index
    struct buf symbols;  // the same; value: name
    struct buf ranges;   // the same; value: innermost scope
    struct buf lines;    // struct index_line, in order; of several with one start the last counts
    struct buf scopes;   // struct index_scope
    struct buf strings;
};

void index_parts__release(struct index_parts *parts);

// Writes the index; what `out` held is gone. -ENOMEM also when an append to a part had failed.
int index_parts__write(const struct index_parts *parts, struct buf *out);

#endif
