#include "report/query/time_range.h"

#include <errno.h>

#include "store/reader/reader_questions.h"

struct extent {
    uint64_t since_ns, until_ns, intervals, longest_ns, long_ones;
};

static int widen(const struct store_interval_row *row, void *context)
{
    struct extent *extent = context;
    if (!extent->until_ns || row->interval.start_ns < extent->since_ns)
        extent->since_ns = row->interval.start_ns;
    if (row->interval.end_ns > extent->until_ns)
        extent->until_ns = row->interval.end_ns;
    uint64_t length_ns = row->interval.end_ns - row->interval.start_ns;
    extent->longest_ns = length_ns > extent->longest_ns ? length_ns : extent->longest_ns;
    extent->intervals++;
    return 0;
}

static int count_long(const struct store_interval_row *row, void *context)
{
    struct extent *extent = context;
    extent->long_ones += row->interval.end_ns - row->interval.start_ns >= extent->longest_ns / 2;
    return 0;
}

// The last interval of a recording may be short: where most are longer, a column is one of these.
static uint32_t count_columns(const struct extent *extent, uint32_t most)
{
    uint64_t count = extent->long_ones > extent->intervals / 2 ? extent->long_ones : extent->intervals;
    return count > most ? most : count ? (uint32_t)count : 1;
}

// An end of the range that the request leaves open is that of the store.
int time_range__columns(const struct report_request *request, struct store_reader *reader, uint32_t count,
                        uint32_t most, struct fault *fault, struct columns *ret_columns)
{
    const struct store_query query = {.since_ns = request->since_ns, .until_ns = request->until_ns};
    struct extent extent = {0};
    bool has_whole_intervals = false, is_known = count && request->since_ns && request->until_ns;
    int err = is_known ? 0 : store_reader__intervals(reader, &query, fault, widen, &extent);
    if (err)
        return err;
    if (!extent.until_ns && !request->until_ns)
        return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "nothing was recorded in that range");
    if (!count) {
        err = store_reader__intervals(reader, &query, fault, count_long, &extent);
        count = count_columns(&extent, most);
        has_whole_intervals = extent.until_ns > 0;
    }
    if (err)
        return err;
    uint64_t since_ns = request->since_ns ? request->since_ns : extent.since_ns;
    uint64_t until_ns = request->until_ns ? request->until_ns : extent.until_ns;
    if (has_whole_intervals) {
        since_ns = extent.since_ns < since_ns ? extent.since_ns : since_ns;
        until_ns = extent.until_ns > until_ns ? extent.until_ns : until_ns;
    }
    return columns__make(since_ns, until_ns, count, ret_columns);
}
