#include "store/directory/interval_sum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/bucket.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/dictionary.h"
#include "store/values.h"

// The key of a histogram in the table; key: the address of the text, which is interned by the reader.
struct histogram_key {
    uint64_t key;
    uint32_t event, zero;
};

struct interval_sum {
    struct store_interval interval;
    uint32_t count;
    struct store_loss *losses;
    size_t loss_capacity;
    struct store_value *values;
    size_t value_count, value_capacity;
    struct dictionary keys; // a histogram by its id - 1
    struct store_histogram *histograms;
    bool *has_values; // of histograms
    size_t histogram_capacity;
};

DEFINE_CLEANUP(struct interval_sum *, interval_sum__free);

int interval_sum__new(struct interval_sum **ret_sum)
{
    struct interval_sum *sum = calloc(1, sizeof(*sum));
    if (!sum)
        return -ENOMEM;
    sum->keys = (struct dictionary)DICTIONARY(struct histogram_key, sizeof(struct histogram_key), 0);
    *ret_sum = sum;
    return 0;
}

void interval_sum__clear(struct interval_sum *sum)
{
    for (uint32_t i = 0; i < sum->keys.count; i++)
        free((void *)sum->histograms[i].counts);
    dictionary__release(&sum->keys);
    sum->interval = (struct store_interval){0};
    sum->count = 0;
    sum->value_count = 0;
}

void interval_sum__free(struct interval_sum *sum)
{
    if (!sum)
        return;
    interval_sum__clear(sum);
    free(sum->losses);
    free(sum->values);
    free(sum->histograms);
    free(sum->has_values);
    free(sum);
}

uint32_t interval_sum__count(const struct interval_sum *sum)
{
    return sum->count;
}

static int add_loss(struct interval_sum *sum, const struct store_loss *loss)
{
    for (size_t i = 0; i < sum->interval.loss_count; i++)
        if (strcmp(sum->losses[i].name, loss->name) == 0) {
            sum->losses[i].count += loss->count;
            return 0;
        }
    if (GROW(sum->losses, sum->loss_capacity, sum->interval.loss_count + 1) != 0)
        return -ENOMEM;
    sum->losses[sum->interval.loss_count++] = *loss;
    return 0;
}

int interval_sum__add(struct interval_sum *sum, const struct store_interval *interval)
{
    struct store_interval *all = &sum->interval;
    if (sum->count++ == 0)
        *all = (struct store_interval){.start_ns = interval->start_ns, .end_ns = interval->end_ns};
    if (interval->start_ns < all->start_ns)
        all->start_ns = interval->start_ns;
    if (interval->end_ns > all->end_ns)
        all->end_ns = interval->end_ns;
    all->own_cpu_ns += interval->own_cpu_ns;
    all->own_bpf_ns += interval->own_bpf_ns;
    if (interval->own_rss_bytes > all->own_rss_bytes)
        all->own_rss_bytes = interval->own_rss_bytes;
    if (interval->own_map_bytes > all->own_map_bytes)
        all->own_map_bytes = interval->own_map_bytes;
    all->own_written_bytes += interval->own_written_bytes;
    int err = 0;
    for (size_t i = 0; i < interval->loss_count && !err; i++)
        err = add_loss(sum, &interval->losses[i]);
    return err;
}

// Adds equal ones up first: memory grows with the sum, not with what is added.
static int make_room(struct interval_sum *sum)
{
    sum->value_count = values__settle(sum->values, sum->value_count);
    if (sum->value_capacity && sum->value_count <= sum->value_capacity / 2)
        return 0;
    return GROW(sum->values, sum->value_capacity, sum->value_capacity + 1);
}

int interval_sum__add_value(struct interval_sum *sum, const struct store_value *value)
{
    int err = sum->value_count < sum->value_capacity ? 0 : make_room(sum);
    if (!err)
        sum->values[sum->value_count++] = *value;
    return err;
}

static int reserve_histogram(struct interval_sum *sum)
{
    size_t capacity = grow__capacity(sum->histogram_capacity, sum->keys.count + 1);
    if (capacity > sum->histogram_capacity &&
        (RESIZE(sum->histograms, capacity) != 0 || RESIZE(sum->has_values, capacity) != 0))
        return -ENOMEM;
    sum->histogram_capacity = capacity;
    return 0;
}

static int find_histogram(struct interval_sum *sum, uint32_t event, const char *key, uint32_t *ret_index)
{
    struct histogram_key wanted = {.key = (uintptr_t)key, .event = event};
    uint32_t id;
    bool is_new;
    int err = reserve_histogram(sum);
    if (!err)
        err = dictionary__intern(&sum->keys, &wanted, &id, &is_new);
    if (err)
        return err;
    *ret_index = id - 1;
    if (!is_new)
        return 0;
    uint64_t *counts = calloc(BUCKETS_TOTAL, sizeof(*counts));
    sum->has_values[id - 1] = false;
    sum->histograms[id - 1] =
        (struct store_histogram){.event = event, .key = key, .counts = counts, .count_of_buckets = BUCKETS_TOTAL};
    return counts ? 0 : -ENOMEM;
}

int interval_sum__add_histogram(struct interval_sum *sum, uint32_t event, const struct store_histogram *histogram)
{
    uint32_t index;
    uint64_t count = 0;
    int err = find_histogram(sum, event, histogram->key, &index);
    if (err)
        return err;
    struct store_histogram *all = &sum->histograms[index];
    uint64_t *counts = (uint64_t *)all->counts;
    for (size_t i = 0; i < histogram->count_of_buckets; i++) {
        counts[i] += histogram->counts[i];
        count += histogram->counts[i];
    }
    all->unmatched += histogram->unmatched;
    all->sum += histogram->sum;
    if (!count)
        return 0;
    if (!sum->has_values[index] || histogram->min < all->min)
        all->min = histogram->min;
    if (!sum->has_values[index] || histogram->max > all->max)
        all->max = histogram->max;
    sum->has_values[index] = true;
    return 0;
}

void interval_sum__total(struct interval_sum *sum, struct interval_total *ret_total)
{
    sum->value_count = values__settle(sum->values, sum->value_count);
    sum->interval.losses = sum->losses;
    *ret_total = (struct interval_total){.interval = sum->interval,
                                         .values = sum->values,
                                         .value_count = sum->value_count,
                                         .histograms = sum->histograms,
                                         .histogram_count = sum->keys.count};
}
