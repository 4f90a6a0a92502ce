#include "collector/keep/hist.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/limits.h"

struct hist {
    const struct event *first;                   // of the recording
    const struct event *events[WIRE_EVENTS_MAX]; // by their numbers
    size_t event_count;
    struct cgroup_names *cgroups;
    bool has_end;
    struct hist_sums past[WIRE_EVENTS_MAX]; // without an end: of the intervals before the last one
    struct histogram_list totals, interval;
    struct store_histogram *rows; // of the interval
    struct drained_cell *sorted;
    size_t sorted_capacity;
};

void hist__set_event(struct hist *hist, const struct event *event)
{
    hist->events[event->hist_number] = event;
    if (event->hist_number >= hist->event_count)
        hist->event_count = event->hist_number + 1;
}

void hist__forget_event(struct hist *hist, const struct event *event)
{
    hist->events[event->hist_number] = NULL;
    hist->past[event->hist_number] = (struct hist_sums){0};
    histogram_list__drop_tag(&hist->totals, event->hist_number);
}

int hist__new(const struct event *events, size_t event_count, struct cgroup_names *cgroups, bool has_end,
              struct hist **ret_hist)
{
    struct hist *hist = calloc(1, sizeof(*hist));
    if (!hist)
        return -ENOMEM;
    for (size_t i = 0; i < event_count; i++)
        if (events[i].hist)
            hist__set_event(hist, &events[i]);
    hist->first = events;
    hist->cgroups = cgroups;
    hist->has_end = has_end;
    hist->totals.bound = LIMIT_HISTOGRAMS;
    *ret_hist = hist;
    return 0;
}

void hist__free(struct hist *hist)
{
    if (!hist)
        return;
    histogram_list__release(&hist->totals);
    histogram_list__release(&hist->interval);
    free(hist->rows);
    free(hist->sorted);
    free(hist);
}

// --- What a key is called

static bool is_signed_key(const struct event *event)
{
    return event->hist->by_has_type ? event->hist->by_is_signed : event->by_is_signed;
}

static void name_by(const struct hist *hist, const struct event *event, const struct wire_hist_key *key, char *ret_name,
                    size_t bytes)
{
    ret_name[0] = '\0';
    switch (event->hist->by) {
    case WIRE_HIST_BY_NOTHING:
        break;
    case WIRE_HIST_BY_COMM:
        snprintf(ret_name, bytes, "%.*s", WIRE_COMM_BYTES, key->by.comm);
        break;
    case WIRE_HIST_BY_CGROUP:
        if (cgroup_names__path(hist->cgroups, key->by.number, ret_name, bytes) == 0)
            break;
        snprintf(ret_name, bytes, "cgroup %llu", (unsigned long long)key->by.number);
        break;
    default:
        snprintf(ret_name, bytes, is_signed_key(event) ? "%lld" : "%llu", (unsigned long long)key->by.number);
    }
}

static void name_key(const struct hist *hist, const struct event *event, const struct wire_hist_key *key,
                     char *ret_name, size_t bytes)
{
    char by[512];
    name_by(hist, event, key, by, sizeof(by));
    if (!event->hist_groups) {
        snprintf(ret_name, bytes, "%s", by);
        return;
    }
    event->source->name_group(key->group, ret_name, bytes);
    size_t used = strlen(ret_name);
    snprintf(ret_name + used, bytes - used, "%s%s", by[0] ? ", " : "", by);
}

// --- Adding up

static int compare_cells(const void *left, const void *right)
{
    const struct drained_cell *a = left, *b = right;
    if (a->key.number != b->key.number)
        return a->key.number < b->key.number ? -1 : 1;
    if (a->key.group != b->key.group)
        return a->key.group < b->key.group ? -1 : 1;
    return memcmp(&a->key.by, &b->key.by, sizeof(a->key.by));
}

static int sort_cells(struct hist *hist, const struct drained *drained)
{
    if (drained->count_of_cells > hist->sorted_capacity) {
        if (RESIZE(hist->sorted, drained->count_of_cells) != 0)
            return -ENOMEM;
        hist->sorted_capacity = drained->count_of_cells;
    }
    if (!drained->count_of_cells)
        return 0;
    memcpy(hist->sorted, drained->cells, drained->count_of_cells * sizeof(*hist->sorted));
    qsort(hist->sorted, drained->count_of_cells, sizeof(*hist->sorted), compare_cells);
    return 0;
}

static void add_cell(struct histogram *histogram, const struct drained_cell *drained)
{
    const struct wire_hist_cell *cell = &drained->cell;
    uint32_t bucket = drained->key.bucket;
    if (bucket == WIRE_HIST_UNMATCHED) {
        histogram->unmatched += cell->count;
        return;
    }
    if (bucket >= BUCKETS_TOTAL || !cell->count)
        return;
    wide sum = ((wide)cell->sum_high << 32) + cell->sum, least = ~cell->low, most = cell->max;
    if (bucket__is_below_zero(bucket))
        histogram__add_cell(histogram, bucket, cell->count, -sum, -most, -least);
    else
        histogram__add_cell(histogram, bucket, cell->count, sum, least, most);
}

static int add_key(struct hist *hist, const struct drained_cell *cells, size_t count)
{
    const struct event *event = hist->events[cells->key.number];
    char name[640];
    struct histogram *interval, *total;
    name_key(hist, event, &cells->key, name, sizeof(name));
    int err = histogram_list__find(&hist->totals, event->spelled, event__unit(event), name, &total);
    if (!err) // by the name that it has there: beyond the bound, the others
        err = histogram_list__find(&hist->interval, event->spelled, event__unit(event), total->by, &interval);
    if (err)
        return err;
    interval->tag = total->tag = cells->key.number;
    for (size_t i = 0; i < count; i++) {
        add_cell(interval, &cells[i]);
        add_cell(total, &cells[i]);
    }
    return 0;
}

static int make_rows(struct hist *hist, const uint32_t *event_rows, size_t *ret_count)
{
    size_t count = 0;
    if (RESIZE(hist->rows, hist->interval.count + 1) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < hist->interval.count; i++) {
        const struct histogram *histogram = hist->interval.items[i];
        hist->rows[count++] = (struct store_histogram){
            .event = event_rows[hist->events[histogram->tag] - hist->first],
            .key = histogram->by,
            .sum = histogram->sum,
            .min = histogram->min,
            .max = histogram->max,
            .unmatched = histogram->unmatched,
            .counts = histogram->counts,
            .count_of_buckets = BUCKETS_TOTAL,
        };
    }
    *ret_count = count;
    return 0;
}

// Keeps the sums of the totals and empties the list: else the keys of months fill it, and each later key is counted as
// "others".
static void drop_totals(struct hist *hist)
{
    for (size_t i = 0; i < hist->totals.count; i++) {
        const struct histogram *histogram = hist->totals.items[i];
        hist->past[histogram->tag].count += histogram->count;
        hist->past[histogram->tag].unmatched += histogram->unmatched;
    }
    histogram_list__release(&hist->totals);
    hist->totals.bound = LIMIT_HISTOGRAMS;
}

int hist__take(struct hist *hist, const struct drained *drained, const uint32_t *event_rows,
               const struct store_histogram **ret_rows, size_t *ret_count)
{
    histogram_list__release(&hist->interval);
    if (!hist->has_end)
        drop_totals(hist);
    int err = sort_cells(hist, drained);
    for (size_t i = 0, next; i < drained->count_of_cells && !err; i = next) {
        next = i + 1;
        while (next < drained->count_of_cells && compare_cells(&hist->sorted[i], &hist->sorted[next]) == 0)
            next++;
        if (hist->sorted[i].key.number < hist->event_count && hist->events[hist->sorted[i].key.number])
            err = add_key(hist, &hist->sorted[i], next - i);
    }
    if (!err)
        err = make_rows(hist, event_rows, ret_count);
    *ret_rows = hist->rows;
    return err;
}

// --- Since the start

static int compare_totals(const void *left, const void *right)
{
    const struct histogram *a = *(struct histogram *const *)left, *b = *(struct histogram *const *)right;
    if (a->tag != b->tag)
        return a->tag < b->tag ? -1 : 1;
    if (a->sum != b->sum)
        return a->sum > b->sum ? -1 : 1;
    return strcmp(a->by, b->by);
}

// An event without a single value has a histogram too: the empty one.
static int add_empty(struct hist *hist)
{
    int err = 0;
    for (size_t i = 0; i < hist->event_count && !err; i++) {
        const struct event *event = hist->events[i];
        struct histogram *empty;
        bool found = false;
        for (size_t j = 0; j < hist->totals.count; j++)
            found = found || hist->totals.items[j]->tag == i;
        if (found || !event || !event->attached)
            continue;
        err = histogram_list__find(&hist->totals, event->spelled, event__unit(event), "", &empty);
        if (!err)
            empty->tag = (uint32_t)i;
    }
    return err;
}

// The empty ones take no key's place.
static void set_bound(struct hist *hist)
{
    hist->totals.bound = LIMIT_HISTOGRAMS;
    for (size_t i = 0; i < hist->totals.count; i++)
        hist->totals.bound += !hist->totals.items[i]->count && !hist->totals.items[i]->unmatched;
}

int hist__totals(struct hist *hist, const struct histogram_list **ret_list)
{
    int err = add_empty(hist);
    if (err)
        return err;
    histogram_list__drop_empty(&hist->totals); // of an event that had nothing to show before
    set_bound(hist);
    histogram_list__sort_by(&hist->totals, compare_totals);
    // Values that an event lost have no key any more: each of its histograms may lack them, and says so.
    for (size_t i = 0; i < hist->totals.count; i++)
        hist->totals.items[i]->lost = event__lost(hist->events[hist->totals.items[i]->tag]);
    *ret_list = &hist->totals;
    return 0;
}

int hist__sums(struct hist *hist, const struct event *event, struct hist_sums *ret_sums)
{
    const struct histogram_list *list;
    struct hist_sums sums = hist->past[event->hist_number];
    int err = hist__totals(hist, &list);
    for (size_t i = 0; !err && i < list->count; i++) {
        const struct histogram *histogram = list->items[i];
        if (histogram->tag != event->hist_number)
            continue;
        sums.count += histogram->count;
        sums.unmatched += histogram->unmatched;
        sums.lost = histogram->lost; // the same for all of one event
    }
    if (!err)
        *ret_sums = sums;
    return err;
}
