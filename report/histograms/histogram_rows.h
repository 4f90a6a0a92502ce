// The rows of a histogram's text: ranges with round ends, powers of two in the unit that a person reads.
//
//   [256, 512) ns  [512 ns, 1 us)  [1, 2) us  ...  [512 us, 1 ms)  [1, 2) ms       of times
//   [512 B, 1 KiB)  [1, 2) KiB ...                                                  of sizes and numbers
//
// The buckets of times end at powers of two of a nanosecond, which are none of a millisecond: one that a row's end
// parts is counted where its middle is, so that a row's end is at most 6.25 % off. JSON and the drawings have the
// buckets.
#ifndef HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_ROWS_H
#define HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_ROWS_H

#include <stdint.h>

#include "store/base/histogram.h"

struct histogram_scale {
    const char *shown; // the unit of the ranges: "ms", that of the median
    double size;       // of it, in the histogram's own unit
};
struct histogram_scale histogram_scale__of(const struct histogram *histogram);

// Counts by row: 0 holds the value 0, r the r-th range above, -r the same of magnitudes below 0. From first to last,
// which are not empty; first is above last when all are.
#define HISTOGRAM_ROWS 68
struct histogram_rows {
    uint64_t counts[2 * HISTOGRAM_ROWS + 1], most; // of r at HISTOGRAM_ROWS + r
    int first, last;
};
struct histogram_rows histogram_rows__of(const struct histogram *histogram);

// "[1, 2)"
#define HISTOGRAM_RANGE_BYTES 96
void histogram_rows__word(const char *unit, const struct histogram_scale *scale, int row,
                          char ret_range[HISTOGRAM_RANGE_BYTES]);

#endif
