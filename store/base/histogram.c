#include "store/base/histogram.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/safe_text.h"

static void histogram__free(struct histogram *histogram)
{
    free(histogram->probe);
    free(histogram->unit);
    free(histogram->by);
    free(histogram);
}
DEFINE_CLEANUP(struct histogram *, histogram__free);

void histogram_list__release(struct histogram_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        histogram__free(list->items[i]);
    free(list->items);
    id_map__release(&list->index);
    *list = (struct histogram_list){.bound = list->bound};
}

static uint64_t hash_of(const struct histogram *histogram)
{
    return hash__pair(hash__bytes(histogram->probe, strlen(histogram->probe)),
                      hash__bytes(histogram->by, strlen(histogram->by)));
}

// Where it is in the index, or, ret_index untouched, where it belongs: others of its hash have the ids that follow.
static bool find_index(const struct histogram_list *list, const struct histogram *wanted, uint64_t *ret_id,
                       uint32_t *ret_index)
{
    uint32_t index;
    uint64_t id = hash_of(wanted);
    for (; id_map__get(&list->index, id, &index); id++)
        if (strcmp(list->items[index]->probe, wanted->probe) == 0 && strcmp(list->items[index]->by, wanted->by) == 0) {
            *ret_index = index;
            return true;
        }
    *ret_id = id;
    return false;
}

static int make_index(struct histogram_list *list)
{
    int err = 0;
    for (size_t i = list->index.used; i < list->count && !err; i++) {
        uint64_t id;
        uint32_t index;
        if (!find_index(list, list->items[i], &id, &index))
            err = id_map__put(&list->index, id, (uint32_t)i);
    }
    return err;
}

static int add(struct histogram_list *list, struct histogram *histogram, uint64_t id)
{
    if (RESIZE(list->items, list->count + 1) != 0)
        return -ENOMEM;
    int err = id_map__put(&list->index, id, (uint32_t)list->count);
    if (!err)
        list->items[list->count++] = histogram;
    return err;
}

int histogram_list__find(struct histogram_list *list, const char *probe, const char *unit, const char *by,
                         struct histogram **ret_histogram)
{
    uint64_t id = 0;
    uint32_t index;
    _cleanup_(histogram__freep) struct histogram *made = calloc(1, sizeof(*made));
    if (!made)
        return -ENOMEM;
    made->probe = safe_text__dup(probe);
    made->unit = safe_text__dup(unit);
    made->by = safe_text__dup(by);
    int err = made->probe && made->unit && made->by ? make_index(list) : -ENOMEM;
    if (err)
        return err;
    if (find_index(list, made, &id, &index)) {
        *ret_histogram = list->items[index];
        return 0;
    }
    if (list->bound && list->count >= list->bound && strcmp(by, HISTOGRAM_OTHERS) != 0)
        return histogram_list__find(list, probe, unit, HISTOGRAM_OTHERS, ret_histogram);
    err = add(list, made, id);
    if (!err)
        *ret_histogram = take_pointer(made);
    return err;
}

static bool has_fuller(const struct histogram_list *list, size_t at)
{
    for (size_t i = 0; i < list->count; i++)
        if (i != at && list->items[i]->tag == list->items[at]->tag &&
            (list->items[i]->count || list->items[i]->unmatched))
            return true;
    return false;
}

static void drop(struct histogram_list *list, size_t i)
{
    histogram__free(list->items[i]);
    memmove(&list->items[i], &list->items[i + 1], (--list->count - i) * sizeof(*list->items));
    id_map__clear(&list->index);
}

void histogram_list__drop_empty(struct histogram_list *list)
{
    for (size_t i = list->count; i-- > 0;) {
        const struct histogram *histogram = list->items[i];
        if (!histogram->count && !histogram->unmatched && has_fuller(list, i))
            drop(list, i);
    }
}

void histogram_list__drop_tag(struct histogram_list *list, uint32_t tag)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->items[i]->tag == tag)
            drop(list, i);
}

static int compare_sums(const void *left, const void *right)
{
    const struct histogram *a = *(struct histogram *const *)left, *b = *(struct histogram *const *)right;
    if (a->sum != b->sum)
        return a->sum > b->sum ? -1 : 1;
    return strcmp(a->by, b->by);
}

void histogram_list__sort_by(struct histogram_list *list, int (*compare)(const void *left, const void *right))
{
    id_map__clear(&list->index);
    if (list->count)
        qsort(list->items, list->count, sizeof(struct histogram *), compare);
}

void histogram_list__sort(struct histogram_list *list)
{
    histogram_list__sort_by(list, compare_sums);
}

static void widen(struct histogram *histogram, wide min, wide max)
{
    if (!histogram->count || min < histogram->min)
        histogram->min = min;
    if (!histogram->count || max > histogram->max)
        histogram->max = max;
}

void histogram__add_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count, uint64_t sum)
{
    if (bucket >= BUCKETS_TOTAL || !count)
        return;
    wide least = bucket__least(bucket), most = bucket__greatest(bucket), total = sum;
    if (sum == UINT64_MAX) {
        total = (least + most) / 2 * (wide)count;
        histogram->is_sum_coarse = true;
    } else if (bucket__is_below_zero(bucket)) {
        total = -total;
    }
    histogram__add_cell(histogram, bucket, count, total, least, most);
    histogram->is_widened = true;
}

void histogram__add_cell(struct histogram *histogram, uint32_t bucket, uint64_t count, wide sum, wide min, wide max)
{
    widen(histogram, min, max);
    histogram->counts[bucket] += count;
    histogram->count += count;
    histogram->sum += sum;
}

int histogram__add_counts(struct histogram *histogram, const uint64_t *counts, size_t count_of_buckets, wide sum,
                          wide min, wide max)
{
    if (count_of_buckets > BUCKETS_TOTAL)
        return -EINVAL;
    uint64_t count = 0;
    for (size_t i = 0; i < count_of_buckets; i++) {
        histogram->counts[i] += counts[i];
        count += counts[i];
    }
    if (count)
        widen(histogram, min, max);
    histogram->count += count;
    histogram->sum += sum;
    return 0;
}

wide histogram__percentile(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        uint32_t bucket = bucket__at_rank(rank);
        seen += histogram->counts[bucket];
        if (!seen || seen < wanted)
            continue;
        wide high = bucket__greatest(bucket);
        return high > histogram->max ? histogram->max : high < histogram->min ? histogram->min : high;
    }
    return 0;
}
