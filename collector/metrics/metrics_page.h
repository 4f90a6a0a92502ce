// The totals in memory that two processes share: one writes, the other reads whenever it likes. The writer waits for
// nobody, and the reader cannot write: its mapping stays read-only whatever it does (F_SEAL_FUTURE_WRITE).
#ifndef HEARTH_COLLECTOR_METRICS_METRICS_PAGE_H
#define HEARTH_COLLECTOR_METRICS_METRICS_PAGE_H

#include <stdatomic.h>

#include "collector/metrics/metrics_totals.h"

struct metrics_shared {
    atomic_uint version; // odd while the totals are being written
    struct metrics_totals totals;
};

struct metrics_page {
    struct metrics_shared *written;    // of the process that made it: fork() gives it to no other
    const struct metrics_shared *read; // of both
};

int metrics_page__new(struct metrics_page *ret_page); // -errno
void metrics_page__release(struct metrics_page *page);

void metrics_page__write(struct metrics_page *page, const struct metrics_totals *totals);
// A whole copy, and its version. -EBUSY: the writer has been in the middle of it for a second.
int metrics_page__read(const struct metrics_page *page, struct metrics_totals *ret_totals, unsigned *ret_version);

#endif
