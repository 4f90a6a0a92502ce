// Takes out of the kernel what an interval has gathered: flips the active set, waits until no program can still be in
// the old one, and empties that by batch look-up-and-delete. No count is lost between two drains.
#ifndef HEARTH_COLLECTOR_PROGRAMS_DRAIN_H
#define HEARTH_COLLECTOR_PROGRAMS_DRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/programs/loader.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct drain;

struct drained_count {
    struct wire_count_key key;
    struct wire_count count;
};

struct drained_cell {
    struct wire_hist_key key;
    struct wire_hist_cell cell; // of all CPUs
};

struct drained {
    uint32_t set; // the one that was drained
    const struct drained_count *counts;
    size_t count_of_counts;
    size_t count_of_chunks;
    const struct drained_cell *cells;
    size_t count_of_cells;
    struct wire_tally tally; // summed over CPUs, since the start
};

// The loader must have loaded its first object.
int drain__new(const struct loader *loader, struct fault *fault, struct drain **ret_drain);
void drain__free(struct drain *drain);

// Fills the kernel's per-CPU reserves of map entries, which start with one entry a map: a first sample needs several at
// once, with interrupts off, when they cannot be filled up. Visits each CPU; where it may not, a sample or two loses
// its stack.
void drain__warm_up(const struct drain *drain, const uint32_t *cpus, size_t cpu_count);

// One drain; what it returns is borrowed until the next one. Cost: 10 to 20 ms of waiting, then 0.3 us an entry.
int drain__run(struct drain *drain, struct fault *fault, struct drained *ret_drained);

// Asks, before a drain, to keep a stack that will be counted in a later interval than the one it was put into the map
// in: what a thread waits with. To be asked before each drain, as long as that is so; a stack put into the map since it
// was asked for the last time is kept for one drain more without being asked for. -ENOMEM.
int drain__hold(struct drain *drain, uint64_t stack);

// How many samples the programs have let through the filter so far, drained or not.
uint64_t drain__emitted(const struct drain *drain);

// A chunk of a stack of the last drain, by its id; NULL: it is not there.
const struct wire_chunk *drain__chunk(const struct drain *drain, uint64_t id);

// Adds a chunk that came another way than through the maps, until the next drain. -ENOMEM.
int drain__put(struct drain *drain, uint64_t id, const struct wire_chunk *chunk);

DEFINE_CLEANUP(struct drain *, drain__free);

#endif
