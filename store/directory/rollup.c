#include "store/directory/rollup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/directory/day_writer.h"
#include "store/directory/interval_sum.h"
#include "store/directory/listing.h"
#include "store/directory/translation.h"
#include "store/reader/reader_walk.h"

DEFINE_CLEANUP(struct store_reader *, store_reader__free);
DEFINE_CLEANUP(struct reader_walk *, reader_walk__free);

struct rollup {
    const struct rollup_plan *plan;
    const struct store_tier_row *from, *to;
    struct store_reader *reader;
    struct store_writer *writer; // NULL until there is something to write
    struct translation *translation;
    struct reader_walk *walk;
    struct interval_sum *sum;
    struct buf sources; // of the sum: struct store_source
    const char *store;  // of the last part: its file, its id there,
    uint32_t last_id;   // which minute or hour since 1970 it began in, and where it ended
    uint64_t period, end_ns;
    struct rollup_done *done;
};

// SQLite's locks of a file go when a descriptor of it is closed: the reader goes before the writer.
static void rollup__release(struct rollup *rollup)
{
    translation__free(rollup->translation);
    reader_walk__free(rollup->walk);
    interval_sum__free(rollup->sum);
    store_reader__free(rollup->reader);
    store_writer__free(rollup->writer);
    buf__release(&rollup->sources);
}

static int open_reader(struct rollup *rollup, struct fault *fault)
{
    _cleanup_(listing__release) struct listing listing = {0};
    int err = listing__read(rollup->plan->directory, fault, &listing);
    if (err)
        return err;
    _cleanup_free_ const char **names = calloc(listing.count + 1, sizeof(*names));
    if (!names)
        return fault__set(fault, -ENOMEM, "out of memory");
    struct store_part part = {.names = names};
    bool has_parts = false;
    for (size_t i = 0; i < listing.count; i++) {
        const struct day_file *file = &listing.items[i].file;
        bool is_part = file->tier + 1 == rollup->plan->tier, is_wanted = is_part || file->tier == rollup->plan->tier;
        if (file->day != rollup->plan->day || file->is_damaged || !is_wanted)
            continue;
        names[part.name_count++] = listing.items[i].name;
        has_parts |= is_part;
    }
    if (!has_parts)
        return -ENOENT;
    return store_reader__open_part(rollup->plan->directory, &part, fault, &rollup->reader);
}

static int open_writer(struct rollup *rollup, struct fault *fault)
{
    struct day_file file = {.day = rollup->plan->day, .tier = rollup->plan->tier};
    if (rollup->writer)
        return 0;
    int err = day_writer__open(rollup->plan->directory, &file, store_reader__meta(rollup->reader), fault,
                               &rollup->writer, NULL);
    return err ? err : translation__new(rollup->reader, rollup->writer, rollup->to->folds, fault, &rollup->translation);
}

static int write_sum(struct rollup *rollup, struct fault *fault)
{
    struct interval_total total;
    if (!interval_sum__count(rollup->sum))
        return 0;
    interval_sum__total(rollup->sum, &total);
    struct store_rolled rolled = {.tier_s = rollup->to->seconds,
                                  .sources = (const struct store_source *)rollup->sources.data,
                                  .source_count = rollup->sources.length_bytes / sizeof(struct store_source)};
    total.interval.rolled = &rolled;
    int err = store_writer__append(rollup->writer, &total.interval, total.values, total.value_count, total.histograms,
                                   total.histogram_count, fault);
    if (err)
        return err;
    rollup->done->sums++;
    rollup->done->parts += interval_sum__count(rollup->sum);
    interval_sum__clear(rollup->sum);
    buf__clear(&rollup->sources);
    return 0;
}

static uint64_t period_of(const struct rollup *rollup, const struct store_interval_row *row)
{
    return row->interval.start_ns / (rollup->to->seconds * 1000000000ull);
}

static bool goes_on(const struct rollup *rollup, const struct store_interval_row *row)
{
    return interval_sum__count(rollup->sum) && rollup->store == row->store && row->own_id == rollup->last_id + 1 &&
           row->interval.start_ns <= rollup->end_ns + LIMIT_STORE_GAP_NS && period_of(rollup, row) == rollup->period;
}

// Whether this row is a part that no sum has, and that may have one by now.
static bool is_due(const struct rollup *rollup, const struct store_interval_row *row)
{
    return row->tier_s == rollup->from->seconds &&
           period_of(rollup, row) < rollup->plan->until_ns / (rollup->to->seconds * 1000000000ull);
}

static int add_values(struct rollup *rollup, struct fault *fault)
{
    const struct store_value *values;
    size_t count = 1;
    int err = 0;
    while (!err && count) {
        err = reader_walk__values(rollup->walk, fault, &values, &count);
        for (size_t i = 0; i < count && !err; i++) {
            struct store_value value;
            err = translation__value(rollup->translation, &values[i], &value);
            if (!err)
                err = interval_sum__add_value(rollup->sum, &value);
        }
    }
    return err;
}

static int add_histograms(struct rollup *rollup, struct fault *fault)
{
    const struct store_histogram *histogram;
    for (;;) {
        uint32_t event;
        int err = reader_walk__histogram(rollup->walk, fault, &histogram);
        if (err || !histogram)
            return err;
        err = translation__event(rollup->translation, histogram->event, &event);
        if (!err)
            err = interval_sum__add_histogram(rollup->sum, event, histogram);
        if (err)
            return err;
    }
}

static int add_source(struct rollup *rollup, const struct store_source *source)
{
    size_t count = rollup->sources.length_bytes / sizeof(*source);
    struct store_source *last = count ? (struct store_source *)rollup->sources.data + count - 1 : NULL;
    if (last && last->store == source->store && last->last + 1 == source->first)
        last->last = source->last;
    else
        buf__append(&rollup->sources, source, sizeof(*source));
    return rollup->sources.failed ? -ENOMEM : 0;
}

// Full intervals are sources themselves, sums have some.
static int add_sources(struct rollup *rollup, const struct store_interval_row *row)
{
    size_t count = 0;
    const struct reader_source *sources = row->tier_s ? reader_cover__sources(rollup->reader, row->id, &count) : NULL;
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        err = add_source(rollup, &(struct store_source){sources[i].store, sources[i].first, sources[i].last});
    return row->tier_s ? err : add_source(rollup, &(struct store_source){row->store, row->own_id, row->own_id});
}

static int add_part(struct rollup *rollup, const struct store_interval_row *row, struct fault *fault)
{
    rollup->store = row->store;
    rollup->last_id = row->own_id;
    rollup->period = period_of(rollup, row);
    rollup->end_ns = row->interval.start_ns;
    if (row->interval.end_ns > rollup->end_ns)
        rollup->end_ns = row->interval.end_ns;
    int err = interval_sum__add(rollup->sum, &row->interval);
    if (!err)
        err = add_sources(rollup, row);
    if (!err)
        err = add_values(rollup, fault);
    return err ? err : add_histograms(rollup, fault);
}

static bool is_late(const struct rollup *rollup)
{
    return rollup->plan->deadline_ns && clock__ns(CLOCK_BOOTTIME) >= rollup->plan->deadline_ns;
}

static int add_all(struct rollup *rollup, struct fault *fault)
{
    for (;;) {
        const struct store_interval_row *row;
        int err = reader_walk__next(rollup->walk, fault, &row);
        if (err)
            return err;
        if (!row)
            return write_sum(rollup, fault);
        if (!is_due(rollup, row))
            continue;
        if (!goes_on(rollup, row))
            err = write_sum(rollup, fault);
        if (err)
            return err;
        if (!interval_sum__count(rollup->sum) && is_late(rollup)) {
            rollup->done->is_stopped = true;
            return 0;
        }
        err = open_writer(rollup, fault);
        if (!err)
            err = add_part(rollup, row, fault);
        if (err)
            return err;
    }
}

int rollup__day(const struct rollup_plan *plan, struct fault *fault, struct rollup_done *ret_done)
{
    _cleanup_(rollup__release) struct rollup rollup = {
        .plan = plan, .from = store_tier__row(plan->tier - 1), .to = store_tier__row(plan->tier), .done = ret_done};
    // As coarse as can be: what has a sum is hidden behind it.
    struct store_query query = {.is_coarse = true};
    *ret_done = (struct rollup_done){0};
    int err = open_reader(&rollup, fault);
    if (!err)
        err = interval_sum__new(&rollup.sum);
    if (!err)
        err = reader_walk__new(rollup.reader, &query, 0, fault, &rollup.walk);
    if (!err)
        err = add_all(&rollup, fault);
    if (err && err != -ENOENT && fault && !fault->text[0])
        fault__set(fault, err, "cannot roll up '%s': %s", plan->directory, strerror(-err));
    return err;
}
