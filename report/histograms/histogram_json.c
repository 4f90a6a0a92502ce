#include <inttypes.h>
#include <stdio.h>

#include "report/histograms/histogram_pairs.h"
#include "report/histograms/histogram_view.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

static void put_number(const char *name, wide number, FILE *file)
{
    char digits[WIDE_TEXT_BYTES];
    fprintf(file, "\"%s\":%s", name, wide__text(number, digits));
}

static void put_buckets(const struct histogram *histogram, FILE *file)
{
    const char *comma = "";
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        uint32_t bucket = bucket__at_rank(rank);
        if (!histogram->counts[bucket])
            continue;
        fprintf(file, "%s{", comma);
        put_number("low", bucket__least(bucket), file);
        fputc(',', file);
        put_number("high", bucket__greatest(bucket) + 1, file);
        fprintf(file, ",\"count\":%" PRIu64 "}", histogram->counts[bucket]);
        comma = ",";
    }
}

static void put_histogram(const struct histogram *histogram, FILE *file)
{
    fputs("{\"probe\":", file);
    text__put_json(file, histogram->probe);
    fputs(",\"unit\":", file);
    text__put_json(file, histogram->unit);
    fputs(",\"by\":", file);
    text__put_json(file, histogram->by);
    fprintf(file, ",\"count\":%" PRIu64 ",", histogram->count);
    put_number("sum", histogram->sum, file);
    fputc(',', file);
    put_number("min", histogram->min, file);
    fputc(',', file);
    put_number("max", histogram->max, file);
    for (size_t i = 0; i < HISTOGRAM_PERCENTILES; i++) {
        fputc(',', file);
        put_number(histogram_percentiles[i].json, histogram__percentile(histogram, histogram_percentiles[i].share),
                   file);
    }
    fputs(",\"buckets\":[", file);
    put_buckets(histogram, file);
    fprintf(file, "],\"unmatched\":%" PRIu64 ",\"lost\":%" PRIu64 "}", histogram->unmatched, histogram->lost);
}

static void put_side(const char *name, const struct histogram *histogram, FILE *file)
{
    fprintf(file, ",\n\"%s\":", name);
    if (histogram)
        put_histogram(histogram, file);
    else
        fputs("null", file);
}

int histogram_view__put_json(const struct histogram_view *view, FILE *file)
{
    _cleanup_(histogram_pairs__release) struct histogram_pairs pairs = {0};
    int err = histogram_pairs__make(view->list, view->before, &pairs);
    fputc('[', file);
    for (size_t i = 0; i < pairs.count; i++) {
        fputs(i ? ",\n" : "", file);
        if (!view->before) {
            put_histogram(pairs.items[i].now, file);
            continue;
        }
        fputs("{\"by\":", file);
        text__put_json(file, histogram_pair__any(&pairs.items[i])->by);
        put_side("before", pairs.items[i].before, file);
        put_side("after", pairs.items[i].now, file);
        fputc('}', file);
    }
    fputs("]\n", file);
    return err;
}
