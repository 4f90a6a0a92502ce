// Histograms as they are shown, by `hearth report -f hist` and `hearth hist`: text, SVG, HTML and JSON. Of a difference
// each has the histogram before beside it.
//
// "<=" stands before a percentile, since the highest value of its bucket is shown, and before extremes that only their
// buckets tell.
#ifndef HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_VIEW_H
#define HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_VIEW_H

#include <stdio.h>

#include "store/base/histogram.h"

struct histogram_view {
    const struct histogram_list *list, *before; // before: NULL without a difference
    const char *name, *before_name;             // the sides of a difference; clean
    const char *title, *range;                  // of a page: what is shown, and of when; clean; NULL: not known
};

// All return -ENOMEM or 0; write errors are the file's (ferror).

// histogram_rows.h tells the ranges.
//
//   uprobe:./prog:work (ms)
//   count 500, sum 2.00 s, min 1.01 ms, max 16.4 ms, p50 <= 1.18 ms, p90 <= 16.4 ms, p99 <= 16.4 ms...
//
//   [1, 2)               400 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
//   [2, 4)                 0 |                                        |
//
// A difference has both counts, and bars of the shares: "@" is what both have, "+" more now, "-" more before.
int histogram_view__put_text(const struct histogram_view *view, FILE *file);
// cli.md's object: an array of one a histogram; of a difference {"by", "before", "after"}, each NULL or such an object.
int histogram_view__put_json(const struct histogram_view *view, FILE *file);
// One drawing of all, on one logarithmic axis a unit.
int histogram_view__put_svg(const struct histogram_view *view, FILE *file);
// The same as a page without scripts, which also has the buckets as tables.
int histogram_view__put_html(const struct histogram_view *view, FILE *file);

#endif
