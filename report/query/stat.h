// The contents, losses and cost of a store, for `hearth stat`: gathered without unpacking any values, printed as text
// or JSON.
#ifndef HEARTH_REPORT_QUERY_STAT_H
#define HEARTH_REPORT_QUERY_STAT_H

#include <stdio.h>

#include "report/profile/loss_list.h"
#include "store/reader/reader.h"

struct stat_event {
    uint64_t samples, value;
};

// Times between the first and the last interval of which nothing was recorded.
struct stat_gaps {
    struct stat_span {
        uint64_t start_ns, end_ns;
    } * spans, longest; // those that were recorded; and the longest gap
    size_t span_count, span_capacity;
    uint64_t count, sum_ns;
};

struct store_stat {
    const char *path;
    struct store_reader *reader; // borrowed
    struct store_size size;
    uint64_t first_ns, last_ns; // of the intervals
    uint64_t covered_ns;        // their sum
    struct stat_gaps gaps;
    uint64_t peak_rss_bytes, peak_map_bytes, written_bytes;
    struct stat_event *events; // by id - 1
    uint64_t samples;
    struct loss_list losses;
};

int store_stat__gather(const char *path, struct store_reader *reader, struct fault *fault, struct store_stat *ret_stat);
void store_stat__release(struct store_stat *stat);

int store_stat__print_text(const struct store_stat *stat, FILE *file);
int store_stat__print_json(const struct store_stat *stat, FILE *file);

#endif
