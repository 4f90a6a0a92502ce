// The tables of `hearth sql` that go through the intervals: one walk a cursor, one block of values at a time.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/bucket.h"
#include "store/reader/reader_walk.h"
#include "store/sql/sql_table.h"

struct interval_cursor {
    struct sql_cursor cursor;
    struct reader_walk *walk;
    const struct store_interval_row *row; // NULL before the first
    size_t index;                         // of the value, the loss, the bucket
    const struct store_value *values;
    size_t count;
    struct reader_sum sum;
    const struct store_histogram *histogram;
    // Histograms made of the values of events that keep a bucket with each: by event.
    uint64_t (*counts)[BUCKETS_TOTAL];
    uint32_t counted_event;
    bool has_counted;
};

static struct interval_cursor *of(struct sql_cursor *base)
{
    return (struct interval_cursor *)base;
}

static void end(struct sql_cursor *base)
{
    struct interval_cursor *cursor = of(base);
    reader_walk__free(take_pointer(cursor->walk));
    free(take_pointer(cursor->counts));
}

static int begin_walk(struct sql_cursor *base, struct fault *fault)
{
    return reader_walk__new(base->reader, &base->ask.query, base->ask.interval, fault, &of(base)->walk);
}

// Goes to the next interval, or to the end.
static int next_interval(struct sql_cursor *base, struct fault *fault)
{
    struct interval_cursor *cursor = of(base);
    int err = reader_walk__next(cursor->walk, fault, &cursor->row);
    base->at_end = err || !cursor->row;
    cursor->index = 0;
    return err;
}

// For tables with rows inside of an interval: `step` goes to the next of them, or says that there is none.
static int next_inside(struct sql_cursor *base, struct fault *fault,
                       int (*step)(struct interval_cursor *cursor, struct fault *fault, bool *ret_has))
{
    struct interval_cursor *cursor = of(base);
    for (bool has = false;;) {
        int err = cursor->row ? step(cursor, fault, &has) : 0;
        if (err || has)
            return err;
        err = next_interval(base, fault);
        if (err || base->at_end)
            return err;
    }
}

#define INTERVAL_TABLE(noun, guess)                                                                                    \
    static int noun##_begin(struct sql_cursor *base, struct fault *fault)                                              \
    {                                                                                                                  \
        int err = begin_walk(base, fault);                                                                             \
        return err ? err : noun##_next(base, fault);                                                                   \
    }                                                                                                                  \
    const struct sql_table sql_##noun = {                                                                              \
        .name = #noun,                                                                                                 \
        .columns = noun##_columns,                                                                                     \
        .rows = (guess),                                                                                               \
        .rows_of_id = 1,                                                                                               \
        .cursor_bytes = sizeof(struct interval_cursor),                                                                \
        .begin = noun##_begin,                                                                                         \
        .next = noun##_next,                                                                                           \
        .column = noun##_column,                                                                                       \
        .end = end,                                                                                                    \
    }

static const struct sql_column interval_columns[] = {
    {"id", "INTEGER", SQL_INTERVAL},
    {"tier_s", "INTEGER"},
    {"start_ns", "INTEGER", SQL_START},
    {"end_ns", "INTEGER", SQL_END},
    {"own_cpu_ns", "INTEGER"},
    {"own_bpf_ns", "INTEGER"},
    {"own_rss_bytes", "INTEGER"},
    {"own_map_bytes", "INTEGER"},
    {"own_written_bytes", "INTEGER"},
    {"time", "TEXT", SQL_TIME},
    {0},
};

static int interval_next(struct sql_cursor *base, struct fault *fault)
{
    return next_interval(base, fault);
}

static void interval_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_interval_row *row = of(base)->row;
    const struct store_interval *interval = &row->interval;
    const uint64_t numbers[] = {row->id,
                                row->tier_s,
                                interval->start_ns,
                                interval->end_ns,
                                interval->own_cpu_ns,
                                interval->own_bpf_ns,
                                interval->own_rss_bytes,
                                interval->own_map_bytes,
                                interval->own_written_bytes};
    if ((size_t)column < sizeof(numbers) / sizeof(numbers[0]))
        sql_result__u64(result, numbers[column]);
    else
        sql_result__time(result, interval->start_ns);
}

INTERVAL_TABLE(interval, 10000);

static const struct sql_column total_columns[] = {
    {"interval", "INTEGER", SQL_INTERVAL},
    {"event", "INTEGER", SQL_EVENT},
    {"samples", "INTEGER"},
    {"value", "INTEGER"},
    {0},
};

static int step_total(struct interval_cursor *cursor, struct fault *fault, bool *ret_has)
{
    return reader_walk__total(cursor->walk, fault, &cursor->sum, ret_has);
}

static int total_next(struct sql_cursor *base, struct fault *fault)
{
    return next_inside(base, fault, step_total);
}

static void total_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct reader_sum *sum = &of(base)->sum;
    const uint64_t numbers[] = {of(base)->row->id, sum->event, sum->samples, sum->value};
    sql_result__u64(result, numbers[column]);
}

INTERVAL_TABLE(total, 20000);

static const struct sql_column process_total_columns[] = {
    {"interval", "INTEGER", SQL_INTERVAL},
    {"event", "INTEGER", SQL_EVENT},
    {"process", "INTEGER"},
    {"samples", "INTEGER"},
    {"value", "INTEGER"},
    {0},
};

static int step_process_total(struct interval_cursor *cursor, struct fault *fault, bool *ret_has)
{
    return reader_walk__process_total(cursor->walk, fault, &cursor->sum, ret_has);
}

static int process_total_next(struct sql_cursor *base, struct fault *fault)
{
    return next_inside(base, fault, step_process_total);
}

static void process_total_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct reader_sum *sum = &of(base)->sum;
    const uint64_t numbers[] = {of(base)->row->id, sum->event, sum->process, sum->samples, sum->value};
    sql_result__u64(result, numbers[column]);
}

INTERVAL_TABLE(process_total, 500000);

static const struct sql_column loss_columns[] = {
    {"interval", "INTEGER", SQL_INTERVAL}, {"name", "TEXT"}, {"count", "INTEGER"}, {0}};

static int loss_next(struct sql_cursor *base, struct fault *fault)
{
    struct interval_cursor *cursor = of(base);
    if (cursor->row && ++cursor->index < cursor->row->interval.loss_count)
        return 0;
    do {
        int err = next_interval(base, fault);
        if (err || base->at_end)
            return err;
    } while (cursor->row->interval.loss_count == 0);
    return 0;
}

static void loss_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct interval_cursor *cursor = of(base);
    const struct store_loss *loss = &cursor->row->interval.losses[cursor->index];
    if (column == 1)
        sql_result__text(result, loss->name);
    else
        sql_result__u64(result, column == 0 ? cursor->row->id : loss->count);
}

INTERVAL_TABLE(loss, 1000);

static const struct sql_column histogram_total_columns[] = {
    {"interval", "INTEGER", SQL_INTERVAL},
    {"event", "INTEGER", SQL_EVENT},
    {"key", "TEXT"},
    {"count", "INTEGER"},
    {"sum", "INTEGER"},
    {"min", "INTEGER"},
    {"max", "INTEGER"},
    {"unmatched", "INTEGER"},
    {0},
};

static int step_histogram(struct interval_cursor *cursor, struct fault *fault, bool *ret_has)
{
    int err = reader_walk__histogram(cursor->walk, fault, &cursor->histogram);
    *ret_has = !err && cursor->histogram;
    return err;
}

static int histogram_total_next(struct sql_cursor *base, struct fault *fault)
{
    return next_inside(base, fault, step_histogram);
}

static void histogram_total_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_histogram *histogram = of(base)->histogram;
    uint64_t count = 0;
    for (size_t i = 0; i < histogram->count_of_buckets; i++)
        count += histogram->counts[i];
    const wide numbers[] = {of(base)->row->id, histogram->event,    0, count, histogram->sum, histogram->min,
                            histogram->max,    histogram->unmatched};
    if (column == 2)
        sql_result__text(result, histogram->key);
    else
        sql_result__wide(result, numbers[column]);
}

INTERVAL_TABLE(histogram_total, 10000);

// The columns with which `sample` and `histogram` begin.
#define WHEN_AND_WHAT                                                                                                  \
    {"interval", "INTEGER", SQL_INTERVAL}, {"time", "TEXT", SQL_TIME}, {"start_ns", "INTEGER", SQL_START},             \
        {"end_ns", "INTEGER", SQL_END},                                                                                \
    {                                                                                                                  \
        "event", "TEXT", SQL_EVENT_NAME                                                                                \
    }

static void when_and_what(const struct interval_cursor *cursor, uint32_t event, sqlite3_context *result, int column)
{
    const struct store_interval_row *row = cursor->row;
    const uint64_t numbers[] = {row->id, 0, row->interval.start_ns, row->interval.end_ns};
    if (column == 1)
        sql_result__time(result, row->interval.start_ns);
    else if (column == 4)
        sql_result__text(result, store_reader__event(cursor->cursor.reader, event)->name);
    else
        sql_result__u64(result, numbers[column]);
}

// The low end of a bucket, or the high one, exclusive.
static void bucket_end(sqlite3_context *result, uint32_t bucket, bool is_high)
{
    sql_result__wide(result, is_high ? bucket__greatest(bucket) + 1 : bucket__least(bucket));
}

static const struct sql_column sample_columns[] = {
    WHEN_AND_WHAT,
    {"pid", "INTEGER", SQL_PID},
    {"tid", "INTEGER", SQL_TID},
    {"comm", "TEXT", SQL_COMM},
    {"process", "INTEGER"},
    {"thread", "INTEGER"},
    {"node", "INTEGER"},
    {"samples", "INTEGER"},
    {"value", "INTEGER"},
    {"bucket", "INTEGER"},
    {"low", "INTEGER"},
    {"high", "INTEGER"},
    {0},
};

static int step_values(struct interval_cursor *cursor, struct fault *fault, bool *ret_has)
{
    int err = 0;
    if (++cursor->index >= cursor->count) {
        err = reader_walk__values(cursor->walk, fault, &cursor->values, &cursor->count);
        cursor->index = 0;
    }
    *ret_has = !err && cursor->count > 0;
    return err;
}

static int sample_next(struct sql_cursor *base, struct fault *fault)
{
    return next_inside(base, fault, step_values);
}

static void sample_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct interval_cursor *cursor = of(base);
    const struct store_value *value = &cursor->values[cursor->index];
    const struct store_thread *thread = store_reader__thread(base->reader, value->thread);
    if (column < 5)
        when_and_what(cursor, value->event, result, column);
    else if (column == 5)
        sql_result__u64(result, store_reader__process(base->reader, thread->process)->pid);
    else if (column == 7)
        sql_result__text(result, thread->comm);
    else if (column < 13) {
        const uint64_t numbers[] = {thread->tid,  0,           thread->process, value->thread, value->node,
                                    value->count, value->value};
        sql_result__u64(result, numbers[column - 6]);
    } else if (value->bucket && column == 13)
        sql_result__u64(result, value->bucket - 1);
    else if (value->bucket)
        bucket_end(result, value->bucket - 1u, column == 15);
}

INTERVAL_TABLE(sample, 1e7);

static const struct sql_column histogram_columns[] = {
    WHEN_AND_WHAT,
    {"key", "TEXT"},
    {"bucket", "INTEGER"},
    {"low", "INTEGER"},
    {"high", "INTEGER"},
    {"count", "INTEGER"},
    {0},
};

// Others have stored histograms, which are exact; that of their values would be the same again.
static bool is_made_of_values(const struct store_reader *reader, uint32_t event)
{
    const struct store_event *found = store_reader__event(reader, event);
    return found->is_histogram && !found->is_doubled;
}

static bool has_events_made_of_values(const struct store_reader *reader)
{
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++)
        if (is_made_of_values(reader, i))
            return true;
    return false;
}

// Counts the values of the interval by event and bucket.
static int count_values(struct interval_cursor *cursor, struct fault *fault)
{
    uint32_t events = store_reader__event_count(cursor->cursor.reader);
    if (!cursor->counts)
        cursor->counts = calloc(events, sizeof(*cursor->counts));
    if (!cursor->counts)
        return fault__set(fault, -ENOMEM, "out of memory");
    memset(cursor->counts, 0, events * sizeof(*cursor->counts));
    if (!has_events_made_of_values(cursor->cursor.reader))
        return 0;
    for (;;) {
        int err = reader_walk__values(cursor->walk, fault, &cursor->values, &cursor->count);
        if (err || cursor->count == 0)
            return err;
        for (size_t i = 0; i < cursor->count; i++)
            if (cursor->values[i].bucket && is_made_of_values(cursor->cursor.reader, cursor->values[i].event))
                cursor->counts[cursor->values[i].event - 1][cursor->values[i].bucket - 1] += cursor->values[i].count;
    }
}

static const uint64_t *counts_of(const struct interval_cursor *cursor)
{
    return cursor->has_counted ? cursor->counts[cursor->counted_event - 1] : cursor->histogram->counts;
}

// The next bucket that is not empty: of the stored histograms, then of those made of values.
static int step_bucket(struct interval_cursor *cursor, struct fault *fault, bool *ret_has)
{
    uint32_t events = store_reader__event_count(cursor->cursor.reader);
    for (;;) {
        bool has_histogram = cursor->has_counted || cursor->histogram;
        for (cursor->index++; has_histogram && cursor->index <= BUCKETS_TOTAL; cursor->index++) {
            if (counts_of(cursor)[cursor->index - 1]) {
                *ret_has = true;
                return 0;
            }
        }
        cursor->index = 0;
        int err = cursor->has_counted ? 0 : reader_walk__histogram(cursor->walk, fault, &cursor->histogram);
        if (!err && !cursor->histogram && !cursor->has_counted) {
            err = count_values(cursor, fault);
            cursor->has_counted = true;
        }
        if (err)
            return err;
        if (cursor->has_counted && ++cursor->counted_event > events) {
            cursor->has_counted = *ret_has = false;
            cursor->counted_event = 0;
            return 0;
        }
    }
}

static int histogram_next(struct sql_cursor *base, struct fault *fault)
{
    return next_inside(base, fault, step_bucket);
}

static void histogram_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct interval_cursor *cursor = of(base);
    uint32_t bucket = (uint32_t)cursor->index - 1;
    if (column < 5)
        when_and_what(cursor, cursor->has_counted ? cursor->counted_event : cursor->histogram->event, result, column);
    else if (column == 5)
        sql_result__text(result, cursor->has_counted ? "" : cursor->histogram->key);
    else if (column == 6)
        sql_result__u64(result, bucket);
    else if (column < 9)
        bucket_end(result, bucket, column == 8);
    else
        sql_result__u64(result, counts_of(cursor)[bucket]);
}

INTERVAL_TABLE(histogram, 1e5);
