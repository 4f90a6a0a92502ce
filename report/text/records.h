// Runs of bytes kept once: equal bytes have the same number. They count up from 0, in the order in which they came.
#ifndef HEARTH_REPORT_TEXT_RECORDS_H
#define HEARTH_REPORT_TEXT_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/slot_set.h"

struct records {
    struct buf bytes; // of all, one behind the other
    size_t *ends;
    uint32_t count;
    size_t capacity;
    struct slot_set by_bytes;
};

void records__release(struct records *records);

int records__keep(struct records *records, const void *bytes, size_t length_bytes, uint32_t *ret_id);
// Valid until the next one is kept.
const void *records__of(const struct records *records, uint32_t id, size_t *ret_length_bytes);

#endif
