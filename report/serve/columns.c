#include "report/serve/columns.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/base/fault.h"
#include "store/reader/reader_questions.h"

#define COLUMNS_USUAL 300u

static int widen(const struct store_interval_row *row, void *context)
{
    struct columns *columns = context;
    if (!columns->until_ns || row->interval.start_ns < columns->since_ns)
        columns->since_ns = row->interval.start_ns;
    if (row->interval.end_ns > columns->until_ns)
        columns->until_ns = row->interval.end_ns;
    return 0;
}

// An end of the range that the request leaves open is that of the store.
static int choose_range(const struct report_request *request, struct store_reader *reader, struct fault *fault,
                        struct columns *columns)
{
    const struct store_query query = {.since_ns = request->since_ns, .until_ns = request->until_ns};
    int err =
        request->since_ns && request->until_ns ? 0 : store_reader__intervals(reader, &query, fault, widen, columns);
    if (!err && !columns->until_ns && !request->until_ns)
        err = fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "nothing was recorded in that range");
    if (request->since_ns)
        columns->since_ns = request->since_ns;
    if (request->until_ns)
        columns->until_ns = request->until_ns;
    if (columns->until_ns <= columns->since_ns)
        columns->until_ns = columns->since_ns + 1000000000u;
    return err;
}

int columns__make(const struct question *question, const struct report_request *request, struct store_reader *reader,
                  struct fault *fault, struct columns *ret_columns)
{
    const char *text = question__find(question, "columns");
    char *end = NULL;
    unsigned long count = text ? strtoul(text, &end, 10) : COLUMNS_USUAL;
    if (text && (*text < '0' || *text > '9' || *end || !count || count > LIMIT_SERVE_COLUMNS))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "columns '%s' is not a number from 1 to %u", text,
                               LIMIT_SERVE_COLUMNS);
    int err = choose_range(request, reader, fault, ret_columns);
    if (err)
        return err;
    ret_columns->count = (uint32_t)count;
    ret_columns->step_ns = (double)(ret_columns->until_ns - ret_columns->since_ns) / (double)count;
    ret_columns->covered_ns = calloc(count, sizeof(*ret_columns->covered_ns));
    return ret_columns->covered_ns ? 0 : -ENOMEM;
}

void columns__release(struct columns *columns)
{
    free(columns->covered_ns);
}

// Of a moment in the range, in columns.
static double place(const struct columns *columns, uint64_t at_ns)
{
    return ((double)at_ns - (double)columns->since_ns) / columns->step_ns;
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

static void put_seconds(const char *name, uint64_t ns)
{
    printf("\"%s\":%" PRIu64 ".%06" PRIu64 ",", name, ns / 1000000000u, ns % 1000000000u / 1000u);
}

void columns__put(const struct columns *columns)
{
    put_seconds("since", columns->since_ns);
    put_seconds("until", columns->until_ns);
    printf("\"step\":%.9g,\"count\":%" PRIu32 ",\n\"covered\":[", columns->step_ns / 1e9, columns->count);
    for (uint32_t i = 0; i < columns->count; i++)
        printf("%s%.6g", i ? "," : "", columns->covered_ns[i] / 1e9);
    printf("]");
}
