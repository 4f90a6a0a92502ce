// Intervals that the store did not take (another program holds a lock, the disk is full): copies in memory, appended in
// their order as soon as the store takes them. Bounded by LIMIT_STORE_WAITING_BYTES; an interval for which there is no
// room keeps its times, its cost and its losses, but not its values.
#ifndef HEARTH_COLLECTOR_KEEP_WAITING_H
#define HEARTH_COLLECTOR_KEEP_WAITING_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/fault.h"
#include "store/store_types.h"
#include "store/writer/writer.h"

struct waiting_interval;

struct waiting {
    struct waiting_interval *first, *last;
    size_t bytes;
    bool is_full; // from here on values are dropped, until all that waits is written
};

struct interval_rows {
    const struct store_interval *interval;
    const struct store_value *values;
    size_t value_count;
    const struct store_histogram *histograms;
    size_t histogram_count;
};

// Copies the rows. ret_dropped: no room was left for the values and the histograms. -ENOMEM: nothing was kept at all.
int waiting__add(struct waiting *waiting, const struct interval_rows *rows, bool *ret_dropped);

// Appends what waits, the oldest first, and forgets what the store has taken. Stops at the first failure.
int waiting__write(struct waiting *waiting, struct store_writer *writer, struct fault *fault);

static inline bool waiting__is_empty(const struct waiting *waiting)
{
    return !waiting->first;
}

// The values stand for samples, and for entries of histograms whose entries are no samples.
struct waiting_count {
    uint64_t samples, entries;
};
struct waiting_count interval_rows__count(const struct interval_rows *rows);
struct waiting_count waiting__count(const struct waiting *waiting);

void waiting__release(struct waiting *waiting);

#endif
