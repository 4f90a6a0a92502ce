// The pictures of a histogram, text, SVG and JSON, which `hearth report -f hist` and `hearth hist` print.
//
//   uprobe:./prog:work (ms)
//   count 500, sum 2.00 s, min 1.01 ms, max 16.4 ms, p50 <= 1.18 ms, p90 <= 16.4 ms, p99 <= 16.4 ms...
//
//   [1.05, 2.10)         400 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
//   [2.10, 4.19)           0 |                                        |
//
// The buckets are shown added up by powers of two. "<=" stands before a percentile, since the highest value of its
// bucket is shown, and before extremes that only their buckets tell.
#ifndef HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_PICTURES_H
#define HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_PICTURES_H

#include <stdint.h>
#include <stdio.h>

#include "store/base/histogram.h"

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
