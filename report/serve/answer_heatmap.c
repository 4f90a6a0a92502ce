// /api/heatmap?event=&from=&to=&columns=: a histogram over time.
//
//   {"event":"runq","unit":"ns","stacks":false,"values":9041,
//    "since":..,"until":..,"step":..,"count":300,"covered":[..],
//    "buckets":[[8192,9215],[9216,10239]],
//    "cells":[[0,12,1,3],[],[1,7]],
//    "p50":[9215,null,10239],"p99":[..]}
//
// "buckets" has the least and the greatest value of each bucket that holds any, by value; "cells" has pairs of a bucket
// and a count for each column. An interval that lies in several columns is parted among them by time.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/query/source.h"
#include "report/serve/answers.h"
#include "report/serve/columns.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/histogram.h"
#include "store/reader/reader_questions.h"

#define COARSE_STEP_NS 3600e9

struct heatmap {
    struct source source;
    struct columns columns;
    double *counts; // by column and rank
    uint64_t count;
};

static void heatmap__release(struct heatmap *heatmap)
{
    free(heatmap->counts);
    columns__release(&heatmap->columns);
    source__release(&heatmap->source);
}

static double *cell(const struct heatmap *heatmap, uint32_t column, uint32_t rank)
{
    return &heatmap->counts[(size_t)column * BUCKETS_TOTAL + rank];
}

static void add(struct heatmap *heatmap, const struct store_interval *interval, uint32_t bucket, uint64_t count)
{
    uint32_t first, end;
    columns__of(&heatmap->columns, interval, &first, &end);
    heatmap->count += count;
    for (uint32_t i = first; i < end; i++)
        *cell(heatmap, i, bucket__rank(bucket)) += (double)count * columns__part(&heatmap->columns, interval, i);
}

static int add_histogram(const struct store_interval_row *row, const struct store_histogram *histogram, void *context)
{
    for (uint32_t i = 0; i < histogram->count_of_buckets && i < BUCKETS_TOTAL; i++)
        if (histogram->counts[i])
            add(context, &row->interval, i, histogram->counts[i]);
    return 0;
}

static int add_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    if (value->bucket)
        add(context, &row->interval, value->bucket - 1u, value->count);
    return 0;
}

static int cover(const struct store_interval_row *row, void *context)
{
    struct heatmap *heatmap = context;
    columns__cover(&heatmap->columns, &row->interval);
    return 0;
}

// Stored histograms are exact; the values beside stacks know threads.
static int gather(struct heatmap *heatmap, struct fault *fault)
{
    struct source *source = &heatmap->source;
    bool of_threads = store_query__chooses_threads(&source->query) || source->query.has_buckets;
    heatmap->counts = calloc((size_t)heatmap->columns.count * BUCKETS_TOTAL, sizeof(*heatmap->counts));
    if (!heatmap->counts)
        return -ENOMEM;
    if (!source->event->is_histogram)
        return source__no_buckets(source, fault);
    source->query.is_coarse = heatmap->columns.step_ns >= COARSE_STEP_NS;
    int err = store_reader__intervals(source->reader, &source->query, fault, cover, heatmap);
    if (!err && !of_threads)
        err = store_reader__histograms(source->reader, &source->query, fault, add_histogram, heatmap);
    if (!err && (of_threads || !source->event->is_doubled))
        err = store_reader__values(source->reader, &source->query, fault, add_value, heatmap);
    return err;
}

static void put_buckets(const struct heatmap *heatmap, uint32_t *ret_places)
{
    uint32_t place = 0;
    printf(",\n\"buckets\":[");
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        bool is_used = false;
        for (uint32_t i = 0; !is_used && i < heatmap->columns.count; i++)
            is_used = *cell(heatmap, i, rank) > 0;
        ret_places[rank] = place;
        if (!is_used)
            continue;
        uint32_t bucket = bucket__at_rank(rank);
        printf("%s[%.17g,%.17g]", place ? "," : "", (double)bucket__least(bucket), (double)bucket__greatest(bucket));
        place++;
    }
    printf("],\n\"cells\":[");
}

static void put_column(const struct heatmap *heatmap, uint32_t column, const uint32_t *places)
{
    bool is_first = true;
    printf(column ? ",[" : "[");
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        double count = *cell(heatmap, column, rank);
        if (count > 0)
            printf("%s%" PRIu32 ",%.6g", is_first ? "" : ",", places[rank], count);
        is_first &= !(count > 0);
    }
    printf("]");
}

// The greatest value of the bucket that the share is reached in.
static void put_percentile(const struct heatmap *heatmap, uint32_t column, double share)
{
    double all = 0, sum = 0;
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++)
        all += *cell(heatmap, column, rank);
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        sum += *cell(heatmap, column, rank);
        if (sum > 0 && sum >= share * all * (1 - 1e-12)) {
            printf("%s%.17g", column ? "," : "", (double)bucket__greatest(bucket__at_rank(rank)));
            return;
        }
    }
    printf(column ? ",null" : "null");
}

static void put(const struct heatmap *heatmap)
{
    static const struct {
        const char *name;
        double share;
    } lines[] = {{"p50", 0.5}, {"p99", 0.99}};
    uint32_t places[BUCKETS_TOTAL];
    _cleanup_free_ char *name = safe_text__dup(heatmap->source.event->name);
    _cleanup_free_ char *unit = safe_text__dup(heatmap->source.event->unit);
    printf("{\"event\":");
    text__put_json(stdout, name ? name : "");
    printf(",\"unit\":");
    text__put_json(stdout, unit ? unit : "");
    printf(",\"stacks\":%s,\"values\":%" PRIu64 ",\n", heatmap->source.event->is_doubled ? "true" : "false",
           heatmap->count);
    columns__put(&heatmap->columns);
    put_buckets(heatmap, places);
    for (uint32_t i = 0; i < heatmap->columns.count; i++)
        put_column(heatmap, i, places);
    printf("]");
    for (size_t line = 0; line < sizeof(lines) / sizeof(lines[0]); line++) {
        printf(",\n\"%s\":[", lines[line].name);
        for (uint32_t i = 0; i < heatmap->columns.count; i++)
            put_percentile(heatmap, i, lines[line].share);
        printf("]");
    }
    printf("}\n");
}

int answer_heatmap(const struct question *question, struct fault *fault)
{
    static const char *const own[] = {"columns", NULL};
    _cleanup_(heatmap__release) struct heatmap heatmap = {0};
    struct filter filter = {0};
    struct report_request request;
    int err = question__request(question, own, &filter, fault, &request);
    if (!err)
        err = source__open(question->store, &request, true, fault, &heatmap.source);
    if (!err)
        err = columns__make(question, &request, heatmap.source.reader, fault, &heatmap.columns);
    if (!err)
        err = gather(&heatmap, fault);
    if (!err)
        put(&heatmap);
    return err;
}
