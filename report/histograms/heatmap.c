#include "report/histograms/heatmap.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "report/text/text.h"

const struct heatmap_line heatmap_lines[HEATMAP_LINES] = {{"p50", 0.5}, {"p99", 0.99}};

int heatmap__make(struct columns *columns, const char *event, const char *unit, struct heatmap *ret_heatmap)
{
    *ret_heatmap = (struct heatmap){
        .columns = *columns,
        .event = safe_text__dup(event),
        .unit = safe_text__dup(unit),
        .counts = calloc((size_t)columns->count * BUCKETS_TOTAL, sizeof(*ret_heatmap->counts)),
    };
    *columns = (struct columns){0};
    return ret_heatmap->counts && ret_heatmap->event && ret_heatmap->unit ? 0 : -ENOMEM;
}

void heatmap__release(struct heatmap *heatmap)
{
    free(heatmap->event);
    free(heatmap->unit);
    free(heatmap->counts);
    columns__release(&heatmap->columns);
}

static double *cell(const struct heatmap *heatmap, uint32_t column, uint32_t rank)
{
    return &heatmap->counts[(size_t)column * BUCKETS_TOTAL + rank];
}

void heatmap__add(struct heatmap *heatmap, const struct store_interval *interval, uint32_t bucket, uint64_t count)
{
    uint32_t first, end;
    columns__of(&heatmap->columns, interval, &first, &end);
    heatmap->count += count;
    for (uint32_t i = first; i < end; i++)
        *cell(heatmap, i, bucket__rank(bucket)) += (double)count * columns__part(&heatmap->columns, interval, i);
}

double heatmap__count(const struct heatmap *heatmap, uint32_t column, uint32_t rank)
{
    return *cell(heatmap, column, rank);
}

int heatmap__whole_counts(const struct heatmap *heatmap, uint64_t **ret_counts)
{
    uint64_t *counts = calloc((size_t)heatmap->columns.count * BUCKETS_TOTAL, sizeof(*counts));
    if (!counts)
        return -ENOMEM;
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        double sum = 0;
        uint64_t given = 0;
        for (uint32_t column = 0; column < heatmap->columns.count; column++) {
            sum += *cell(heatmap, column, rank);
            uint64_t whole = (uint64_t)round(sum);
            counts[(size_t)column * BUCKETS_TOTAL + rank] = whole - given;
            given = whole;
        }
    }
    *ret_counts = counts;
    return 0;
}

static void put_buckets(const struct heatmap *heatmap, uint32_t *ret_places, FILE *file)
{
    uint32_t place = 0;
    fprintf(file, ",\n\"buckets\":[");
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        bool is_used = false;
        for (uint32_t i = 0; !is_used && i < heatmap->columns.count; i++)
            is_used = *cell(heatmap, i, rank) > 0;
        ret_places[rank] = place;
        if (!is_used)
            continue;
        uint32_t bucket = bucket__at_rank(rank);
        fprintf(file, "%s[%.17g,%.17g]", place ? "," : "", (double)bucket__least(bucket),
                (double)bucket__greatest(bucket));
        place++;
    }
    fprintf(file, "],\n\"cells\":[");
}

static void put_column(const struct heatmap *heatmap, uint32_t column, const uint32_t *places, FILE *file)
{
    bool is_first = true;
    fprintf(file, column ? ",[" : "[");
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        double count = *cell(heatmap, column, rank);
        if (count > 0)
            fprintf(file, "%s%" PRIu32 ",%.6g", is_first ? "" : ",", places[rank], count);
        is_first &= !(count > 0);
    }
    fprintf(file, "]");
}

bool heatmap__percentile(const struct heatmap *heatmap, uint32_t column, double share, double *ret_value)
{
    double all = 0, sum = 0;
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++)
        all += *cell(heatmap, column, rank);
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        sum += *cell(heatmap, column, rank);
        if (sum > 0 && sum >= share * all * (1 - 1e-12)) {
            *ret_value = (double)bucket__greatest(bucket__at_rank(rank));
            return true;
        }
    }
    return false;
}

static void put_line(const struct heatmap *heatmap, const struct heatmap_line *line, FILE *file)
{
    fprintf(file, ",\n\"%s\":[", line->name);
    for (uint32_t i = 0; i < heatmap->columns.count; i++) {
        double value;
        fputs(i ? "," : "", file);
        if (heatmap__percentile(heatmap, i, line->share, &value))
            fprintf(file, "%.17g", value);
        else
            fputs("null", file);
    }
    fputs("]", file);
}

void heatmap__put_json(const struct heatmap *heatmap, FILE *file)
{
    uint32_t places[BUCKETS_TOTAL];
    fputs("{\"event\":", file);
    text__put_json(file, heatmap->event);
    fputs(",\"unit\":", file);
    text__put_json(file, heatmap->unit);
    fprintf(file, ",\"stacks\":%s,\"values\":%" PRIu64 ",\n", heatmap->has_stacks ? "true" : "false", heatmap->count);
    columns__put(&heatmap->columns, file);
    put_buckets(heatmap, places, file);
    for (uint32_t i = 0; i < heatmap->columns.count; i++)
        put_column(heatmap, i, places, file);
    fputs("]", file);
    for (size_t line = 0; line < HEATMAP_LINES; line++)
        put_line(heatmap, &heatmap_lines[line], file);
    fputs("}\n", file);
}
