// The losses since the recording began, on the kernel's side and on ours, and those that the store has been told.
#ifndef HEARTH_COLLECTOR_KEEP_LOSSES_H
#define HEARTH_COLLECTOR_KEEP_LOSSES_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "store/store_types.h"

struct losses {
    struct wire_tally tally;        // the kernel's side, as it was drained last
    uint64_t here[WIRE_LOSS_COUNT]; // by the collector itself
    uint64_t told[WIRE_LOSS_COUNT]; // of both, already in the store
};

// The losses that the store has not been told, by name; returns how many rows.
size_t losses__list(const struct losses *losses, struct store_loss ret_rows[WIRE_LOSS_COUNT]);

// The store has it.
void losses__tell(struct losses *losses);

// Samples that never reached the store.
uint64_t losses__samples(const struct losses *losses);

// The samples that the programs let through the filter, less those that arrived and those known to be lost.
uint64_t losses__unaccounted(const struct losses *losses, uint64_t arrived);

#endif
