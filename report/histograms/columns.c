#include "report/histograms/columns.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SNAP 0.05 // of a column: as near to its end an interval ends with it

int columns__make(uint64_t since_ns, uint64_t until_ns, uint32_t count, struct columns *ret_columns)
{
    if (until_ns <= since_ns)
        until_ns = since_ns + 1000000000u;
    *ret_columns = (struct columns){
        .since_ns = since_ns,
        .until_ns = until_ns,
        .count = count,
        .step_ns = (double)(until_ns - since_ns) / (double)count,
        .covered_ns = calloc(count, sizeof(*ret_columns->covered_ns)),
    };
    return ret_columns->covered_ns ? 0 : -ENOMEM;
}

void columns__release(struct columns *columns)
{
    free(columns->covered_ns);
}

// Of a moment in the range, in columns.
static double place(const struct columns *columns, uint64_t at_ns)
{
    double at = ((double)at_ns - (double)columns->since_ns) / columns->step_ns;
    return fabs(at - round(at)) < SNAP ? round(at) : at;
}

void columns__of(const struct columns *columns, const struct store_interval *interval, uint32_t *ret_first,
                 uint32_t *ret_end)
{
    double first = floor(place(columns, interval->start_ns)), end = ceil(place(columns, interval->end_ns));
    *ret_first = first < 0 ? 0 : first > columns->count ? columns->count : (uint32_t)first;
    *ret_end = end < 0 ? 0 : end > columns->count ? columns->count : (uint32_t)end;
}

double columns__part(const struct columns *columns, const struct store_interval *interval, uint32_t column)
{
    double start = place(columns, interval->start_ns), end = place(columns, interval->end_ns);
    double low = fmax(start, column), high = fmin(end, column + 1.0);
    return end > start ? fmax(high - low, 0) / (end - start) : 1;
}

void columns__cover(struct columns *columns, const struct store_interval *interval)
{
    uint32_t first, end;
    columns__of(columns, interval, &first, &end);
    for (uint32_t i = first; i < end; i++)
        columns->covered_ns[i] += columns__part(columns, interval, i) * (double)(interval->end_ns - interval->start_ns);
}

static void put_seconds(const char *name, uint64_t ns, FILE *file)
{
    fprintf(file, "\"%s\":%" PRIu64 ".%06" PRIu64 ",", name, ns / 1000000000u, ns % 1000000000u / 1000u);
}

void columns__put(const struct columns *columns, FILE *file)
{
    put_seconds("since", columns->since_ns, file);
    put_seconds("until", columns->until_ns, file);
    fprintf(file, "\"step\":%.9g,\"count\":%" PRIu32 ",\n\"covered\":[", columns->step_ns / 1e9, columns->count);
    for (uint32_t i = 0; i < columns->count; i++)
        fprintf(file, "%s%.6g", i ? "," : "", columns->covered_ns[i] / 1e9);
    fprintf(file, "]");
}
