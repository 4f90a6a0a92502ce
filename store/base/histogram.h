// Histograms of values in the buckets of store/base/bucket.h (at most 12.5 % wide), and a list of them.
//
// A percentile is the highest value that its bucket can hold, at most the maximum: never too low, and at most 12.5 %
// too high.
#ifndef HEARTH_STORE_BASE_HISTOGRAM_H
#define HEARTH_STORE_BASE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bucket.h"
#include "store/base/id_map.h"

struct histogram {
    uint32_t tag; // whatever the caller makes of it; histograms of one probe and key have one
    char *probe;  // the event's name; clean (text.h), as the others
    char *unit;   // "ns", "bytes", "count"
    char *by;     // the key's value; "" without one
    uint64_t count;
    wide sum;
    wide min, max;      // meaningless while count is 0
    bool is_widened;    // they are ends of buckets: no value is outside of them
    bool is_sum_coarse; // the sum is that of the middles of the buckets, for some
    uint64_t unmatched;
    uint64_t lost; // values of the probe that are in no histogram: each may lack them
    uint64_t counts[BUCKETS_TOTAL];
};

struct histogram_list {
    struct histogram **items;
    size_t count;
    size_t bound;        // of count; 0: none. Above: what has another key becomes HISTOGRAM_OTHERS, one a probe
    struct id_map index; // of items, by a hash of probe and key; empty: to be made
};
#define HISTOGRAM_OTHERS "others"

// The histogram of that probe and key, made where there is none.
int histogram_list__find(struct histogram_list *list, const char *probe, const char *unit, const char *by,
                         struct histogram **ret_histogram);
void histogram_list__release(struct histogram_list *list);
// Those without a value, if others of their tag have some.
void histogram_list__drop_empty(struct histogram_list *list);
void histogram_list__drop_tag(struct histogram_list *list, uint32_t tag); // those with this tag
void histogram_list__sort(struct histogram_list *list);                   // the largest sum first
void histogram_list__sort_by(struct histogram_list *list, int (*compare)(const void *left, const void *right));

// `count` values of one bucket whose magnitudes sum up to `sum`, UINT64_MAX where that is too large to be known;
// minimum and maximum are widened to the bucket's ends.
void histogram__add_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count, uint64_t sum);
// A whole histogram, with its own sum, minimum and maximum. More than BUCKETS_TOTAL counts: -EINVAL.
int histogram__add_counts(struct histogram *histogram, const uint64_t *counts, size_t count_of_buckets, wide sum,
                          wide min, wide max);
// Some values of one bucket, with their sum and extremes.
void histogram__add_cell(struct histogram *histogram, uint32_t bucket, uint64_t count, wide sum, wide min, wide max);

// The value that `share` (0 to 1) of the values do not exceed; 0 when there are none.
wide histogram__percentile(const struct histogram *histogram, double share);

#endif
