// A histogram and its two pictures, text and JSON: what `hearth report -f hist` and `hearth hist` print.
//
//   uprobe:./prog:work (ms)
//   count 500, sum 2.00 s, min 1.01 ms, max 16.4 ms, p50 <= 1.18 ms, p90 <= 16.4 ms, p99 <= 16.4 ms...
//
//   [1.05, 2.10)         400 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
//   [2.10, 4.19)           0 |                                        |
//
// The buckets are store/base/bucket.h's (at most 12.5 % wide), shown added up by powers of two. A percentile is the
// highest value that its bucket can hold, at most the maximum: never too low, and at most 12.5 % too high. So it is
// worded, and so are extremes that only their buckets tell.
#ifndef HEARTH_REPORT_PROFILE_HISTOGRAM_H
#define HEARTH_REPORT_PROFILE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/base/bucket.h"
#include "store/base/fault.h"
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

void histogram__put_text(const struct histogram *histogram, FILE *file);
// One SVG drawing of all of them, below each other.
void histogram_list__put_svg(const struct histogram_list *list, FILE *file);
// cli.md's object: an array of one a histogram.
void histogram_list__put_json(const struct histogram_list *list, FILE *file);

// Helpers that the text and the SVG call.

// "count 500, sum 2.00 s, ..."
void histogram__put_facts(const struct histogram *histogram, FILE *file);

struct histogram_scale {
    const char *shown; // the unit of the ranges: "ms", that of the median
    double size;       // of it, in the histogram's own unit
};
struct histogram_scale histogram__scale(const struct histogram *histogram);
// "[1.05, 2.10)"
#define HISTOGRAM_RANGE_BYTES 96
void histogram__word_range(const struct histogram_scale *scale, int power, char ret_range[HISTOGRAM_RANGE_BYTES]);

// Counts by powers of two: 0 holds the value 0, p holds [2^(p-1), 2^p), -p the same of magnitudes below 0. From first
// to last, which are not empty; first is above last when all are.
#define HISTOGRAM_POWERS 64
struct histogram_powers {
    uint64_t counts[2 * HISTOGRAM_POWERS + 1], most; // of p at HISTOGRAM_POWERS + p
    int first, last;
};
struct histogram_powers histogram__powers(const struct histogram *histogram);

#endif
