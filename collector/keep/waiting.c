#include "collector/keep/waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire/wire.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"

struct waiting_interval {
    struct waiting_interval *next;
    struct interval_rows rows; // these:
    struct store_interval interval;
    struct store_loss losses[WIRE_LOSS_COUNT];
    struct store_value *values;
    struct store_histogram *histograms; // with keys and counts of their own
    size_t bytes;
};

static void waiting_interval__free(struct waiting_interval *row)
{
    if (!row)
        return;
    for (size_t i = 0; i < row->rows.histogram_count; i++) {
        free((void *)row->histograms[i].key);
        free((void *)row->histograms[i].counts);
    }
    free(row->histograms);
    free(row->values);
    free(row);
}
DEFINE_CLEANUP(struct waiting_interval *, waiting_interval__free);

static size_t bytes_of(const struct interval_rows *rows)
{
    size_t bytes = sizeof(struct waiting_interval) + rows->value_count * sizeof(*rows->values);
    for (size_t i = 0; i < rows->histogram_count; i++)
        bytes += sizeof(*rows->histograms) + (rows->histograms[i].key ? strlen(rows->histograms[i].key) : 0) + 1 +
                 rows->histograms[i].count_of_buckets * sizeof(*rows->histograms[i].counts);
    return bytes;
}

static void *copy(const void *from, size_t bytes)
{
    void *to = malloc(bytes ? bytes : 1);
    if (to && bytes)
        memcpy(to, from, bytes);
    return to;
}

static int copy_histograms(struct waiting_interval *row, const struct interval_rows *rows)
{
    row->histograms = calloc(rows->histogram_count + 1, sizeof(*row->histograms));
    if (!row->histograms)
        return -ENOMEM;
    row->rows.histograms = row->histograms;
    for (size_t i = 0; i < rows->histogram_count; i++) {
        struct store_histogram *mine = &row->histograms[row->rows.histogram_count++];
        *mine = rows->histograms[i];
        mine->key = strdup(mine->key ? mine->key : "");
        mine->counts = copy(mine->counts, mine->count_of_buckets * sizeof(*mine->counts));
        if (!mine->key || !mine->counts)
            return -ENOMEM;
    }
    return 0;
}

static void add_losses(struct waiting_interval *row, const struct store_interval *interval)
{
    for (size_t i = 0; i < interval->loss_count; i++) {
        size_t at = 0;
        while (at < row->interval.loss_count && strcmp(row->losses[at].name, interval->losses[i].name) != 0)
            at++;
        if (at == row->interval.loss_count && at == WIRE_LOSS_COUNT)
            continue; // there are no more names
        if (at == row->interval.loss_count)
            row->losses[row->interval.loss_count++] = (struct store_loss){.name = interval->losses[i].name};
        row->losses[at].count += interval->losses[i].count;
    }
}

// One without values goes into the last: else a disk that stays full for days would fill the memory with them.
static void merge(struct waiting_interval *last, const struct store_interval *interval)
{
    last->interval.end_ns = interval->end_ns;
    last->interval.own_cpu_ns += interval->own_cpu_ns;
    last->interval.own_bpf_ns += interval->own_bpf_ns;
    last->interval.own_rss_bytes = interval->own_rss_bytes;
    last->interval.own_map_bytes = interval->own_map_bytes;
    last->interval.own_written_bytes += interval->own_written_bytes;
    add_losses(last, interval);
}

static int copy_rows(const struct interval_rows *rows, bool with_values, struct waiting_interval **ret_row)
{
    _cleanup_(waiting_interval__freep) struct waiting_interval *row = calloc(1, sizeof(*row));
    if (!row)
        return -ENOMEM;
    row->rows.interval = &row->interval;
    row->interval = *rows->interval;
    row->interval.losses = row->losses;
    row->interval.loss_count = 0;
    row->bytes = with_values ? bytes_of(rows) : sizeof(*row);
    add_losses(row, rows->interval);
    int err = 0;
    if (with_values) {
        row->values = copy(rows->values, rows->value_count * sizeof(*rows->values));
        row->rows.values = row->values;
        row->rows.value_count = row->values ? rows->value_count : 0;
        err = row->values ? copy_histograms(row, rows) : -ENOMEM;
    }
    if (!err)
        *ret_row = take_pointer(row);
    return err;
}

int waiting__add(struct waiting *waiting, const struct interval_rows *rows, bool *ret_dropped)
{
    bool was_full = waiting->is_full;
    struct waiting_interval *row = NULL;
    waiting->is_full = was_full || waiting->bytes + bytes_of(rows) > LIMIT_STORE_WAITING_BYTES;
    *ret_dropped = waiting->is_full;
    if (was_full) {
        merge(waiting->last, rows->interval);
        return 0;
    }
    int err = copy_rows(rows, !waiting->is_full, &row);
    if (err) {
        waiting->is_full = was_full;
        return err;
    }
    if (waiting->last)
        waiting->last->next = row;
    else
        waiting->first = row;
    waiting->last = row;
    waiting->bytes += row->bytes;
    return 0;
}

static void forget_first(struct waiting *waiting)
{
    struct waiting_interval *row = waiting->first;
    waiting->first = row->next;
    if (!row->next)
        waiting->last = NULL;
    waiting->bytes -= row->bytes;
    waiting->is_full = waiting->is_full && waiting->first;
    waiting_interval__free(row);
}

int waiting__write(struct waiting *waiting, struct store_writer *writer, struct fault *fault)
{
    int err = 0;
    while (waiting->first && !err) {
        const struct interval_rows *rows = &waiting->first->rows;
        err = store_writer__append(writer, rows->interval, rows->values, rows->value_count, rows->histograms,
                                   rows->histogram_count, fault);
        if (!err)
            forget_first(waiting);
    }
    return err;
}

struct waiting_count interval_rows__count(const struct interval_rows *rows)
{
    struct waiting_count count = {0};
    for (size_t i = 0; i < rows->value_count; i++)
        count.samples += rows->values[i].count;
    for (size_t i = 0; i < rows->histogram_count && !rows->value_count; i++) // else each entry is a sample too
        for (size_t j = 0; j < rows->histograms[i].count_of_buckets; j++)
            count.entries += rows->histograms[i].counts[j];
    return count;
}

struct waiting_count waiting__count(const struct waiting *waiting)
{
    struct waiting_count sum = {0};
    for (const struct waiting_interval *row = waiting->first; row; row = row->next) {
        struct waiting_count count = interval_rows__count(&row->rows);
        sum.samples += count.samples;
        sum.entries += count.entries;
    }
    return sum;
}

void waiting__release(struct waiting *waiting)
{
    while (waiting->first)
        forget_first(waiting);
}
