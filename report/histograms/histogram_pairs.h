// The histograms of a view, each beside the one before of the same key: in the order of the list, then those that are
// only before. Without a difference each has nothing beside it.
#ifndef HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_PAIRS_H
#define HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_PAIRS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/base/histogram.h"

struct histogram_pair {
    const struct histogram *now, *before; // one of them may be NULL
};

struct histogram_pairs {
    struct histogram_pair *items;
    size_t count;
};

int histogram_pairs__make(const struct histogram_list *now, const struct histogram_list *before,
                          struct histogram_pairs *ret_pairs);
void histogram_pairs__release(struct histogram_pairs *pairs);

// The one of both that says probe, key and unit.
const struct histogram *histogram_pair__any(const struct histogram_pair *pair);

#define HISTOGRAM_PERCENTILES 4
extern const struct histogram_percentile {
    const char *text, *json;
    double share;
} histogram_percentiles[HISTOGRAM_PERCENTILES];

// "sum 2.00 s, min >= 983 us, max <= 16.8 ms", and "unmatched 4, lost 2" where there are.
void histogram_pair__put_extent(const struct histogram *histogram, FILE *file);
void histogram_pair__put_missing(const struct histogram *histogram, const char *separator, FILE *file);

#endif
