#include "report/histograms/histogram_pairs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/cleanup.h"

const struct histogram_percentile histogram_percentiles[HISTOGRAM_PERCENTILES] = {
    {"p50", "p50", 0.5}, {"p90", "p90", 0.9}, {"p99", "p99", 0.99}, {"p99.9", "p999", 0.999}};

struct known {
    const struct histogram *histogram;
    bool is_paired;
};

static int compare_keys(const void *left, const void *right)
{
    const struct known *a = left, *b = right;
    return strcmp(a->histogram->by, b->histogram->by);
}

static struct known *list_before(const struct histogram_list *before)
{
    struct known *known = calloc(before->count + 1, sizeof(*known));
    for (size_t i = 0; known && i < before->count; i++)
        known[i].histogram = before->items[i];
    if (known && before->count)
        qsort(known, before->count, sizeof(*known), compare_keys);
    return known;
}

int histogram_pairs__make(const struct histogram_list *now, const struct histogram_list *before,
                          struct histogram_pairs *ret_pairs)
{
    static const struct histogram_list none = {0};
    before = before ? before : &none;
    _cleanup_free_ struct known *known = list_before(before);
    struct histogram_pairs pairs = {.items = calloc(now->count + before->count + 1, sizeof(*pairs.items))};
    if (!known || !pairs.items) {
        free(pairs.items);
        return -ENOMEM;
    }
    for (size_t i = 0; i < now->count; i++) {
        const struct known wanted = {.histogram = now->items[i]};
        struct known *found = bsearch(&wanted, known, before->count, sizeof(*known), compare_keys);
        pairs.items[pairs.count++] = (struct histogram_pair){now->items[i], found ? found->histogram : NULL};
        if (found)
            found->is_paired = true;
    }
    for (size_t i = 0; i < before->count; i++)
        if (!known[i].is_paired)
            pairs.items[pairs.count++] = (struct histogram_pair){NULL, known[i].histogram};
    *ret_pairs = pairs;
    return 0;
}

void histogram_pairs__release(struct histogram_pairs *pairs)
{
    free(pairs->items);
}

const struct histogram *histogram_pair__any(const struct histogram_pair *pair)
{
    return pair->now ? pair->now : pair->before;
}

void histogram_pair__put_extent(const struct histogram *histogram, FILE *file)
{
    char amount[TEXT_AMOUNT_BYTES];
    text__amount(histogram->sum, histogram->unit, amount);
    fprintf(file, "sum %s%s", histogram->is_sum_coarse ? "about " : "", amount);
    if (!histogram->count)
        return;
    text__amount(histogram->min, histogram->unit, amount);
    fprintf(file, ", min %s%s", histogram->is_widened ? ">= " : "", amount);
    text__amount(histogram->max, histogram->unit, amount);
    fprintf(file, ", max %s%s", histogram->is_widened ? "<= " : "", amount);
}

void histogram_pair__put_missing(const struct histogram *histogram, const char *separator, FILE *file)
{
    if (histogram->unmatched)
        fprintf(file, "%sunmatched %" PRIu64, separator, histogram->unmatched);
    if (histogram->lost)
        fprintf(file, "%slost %" PRIu64, histogram->unmatched ? ", " : separator, histogram->lost);
}
