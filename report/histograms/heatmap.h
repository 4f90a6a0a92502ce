// A histogram over time: how many values fell into each bucket, by column.
//
//   {"event":"runq","unit":"ns","stacks":false,"values":9041,
//    "since":..,"until":..,"step":..,"count":300,"covered":[..],
//    "buckets":[[8192,9215],[9216,10239]],
//    "cells":[[0,12,1,3],[],[1,7]],
//    "p50":[9215,null,10239],"p99":[..]}
//
// "buckets" has the least and the greatest value of each bucket that holds any, by value; "cells" has pairs of a bucket
// and a count for each column. An interval that lies in several columns is parted among them by time.
#ifndef HEARTH_REPORT_HISTOGRAMS_HEATMAP_H
#define HEARTH_REPORT_HISTOGRAMS_HEATMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report/histograms/columns.h"
#include "store/base/bucket.h"

struct heatmap {
    struct columns columns;
    double *counts; // by column and rank
    uint64_t count, sum;
    char *event, *unit; // clean
    bool has_stacks;
};

// Takes the columns over, in any case.
int heatmap__make(struct columns *columns, const char *event, const char *unit, struct heatmap *ret_heatmap);
void heatmap__release(struct heatmap *heatmap);
void heatmap__add(struct heatmap *heatmap, const struct store_interval *interval, uint32_t bucket, uint64_t count);

double heatmap__count(const struct heatmap *heatmap, uint32_t column, uint32_t rank);
// By column and rank, as the cells but whole: what an interval gives to several columns is counted in one of them, and
// each bucket's counts add up. -ENOMEM; free() it.
int heatmap__whole_counts(const struct heatmap *heatmap, uint64_t **ret_counts);
// The greatest value of the bucket that the share is reached in; false: the column has none.
bool heatmap__percentile(const struct heatmap *heatmap, uint32_t column, double share, double *ret_value);

#define HEATMAP_LINES 2
extern const struct heatmap_line {
    const char *name;
    double share;
} heatmap_lines[HEATMAP_LINES];

void heatmap__put_json(const struct heatmap *heatmap, FILE *file);

#endif
