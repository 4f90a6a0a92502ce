#include "report/profile/histogram.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/hash.h"

#define BAR_CHARACTERS   40
#define RANGE_CHARACTERS 22 // at least

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

// By the median, so that the unit is that of the usual value: the ends of a wide histogram may be thousands of it, or
// thousandths.
struct histogram_scale histogram__scale(const struct histogram *histogram)
{
    static const struct {
        const char *unit, *shown;
        double size;
        wide from; // the scale is chosen when the median is at least this
    } scales[] = {
        {"ns", "s", 1e9, 100000000000},    {"ns", "ms", 1e6, 1000000},        {"ns", "us", 1e3, 1000},
        {"bytes", "MiB", 0x1p20, 1 << 20}, {"bytes", "KiB", 0x1p10, 1 << 10},
    };
    wide median = histogram__percentile(histogram, 0.5);
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
        if (strcmp(scales[i].unit, histogram->unit) == 0 && median >= scales[i].from)
            return (struct histogram_scale){scales[i].shown, scales[i].size};
    return (struct histogram_scale){histogram->unit, 1};
}

// At least three digits that count, however small, and never an exponent: bounds that differ look different.
static void word_bound(wide bound, const struct histogram_scale *scale, char ret_word[WIDE_TEXT_BYTES])
{
    double scaled = (double)bound / scale->size;
    int decimals = 0;
    if (scale->size <= 1) {
        wide__text(bound, ret_word);
        return;
    }
    if (scaled > 0 && scaled < 100)
        decimals = scaled >= 10 ? 1 : scaled >= 1 ? 2 : 2 - (int)floor(log10(scaled));
    snprintf(ret_word, WIDE_TEXT_BYTES, "%.*f", decimals, scaled);
}

// Below 0 the ends are one further up than above: what is in and what is not does not change its side.
void histogram__word_range(const struct histogram_scale *scale, int power, char ret_range[HISTOGRAM_RANGE_BYTES])
{
    char low[WIDE_TEXT_BYTES], high[WIDE_TEXT_BYTES];
    int magnitude = power < 0 ? -power : power;
    wide least = magnitude ? (wide)1 << (magnitude - 1) : 0, end = (wide)1 << magnitude;
    word_bound(power < 0 ? 1 - end : least, scale, low);
    word_bound(power < 0 ? 1 - least : end, scale, high);
    snprintf(ret_range, HISTOGRAM_RANGE_BYTES, "[%s, %s)", low, high);
}

static int power_of(uint32_t bucket)
{
    bool is_below = bucket__is_below_zero(bucket);
    uint64_t low = bucket__low(is_below ? bucket - BUCKET_COUNT : bucket);
    int power = low ? 64 - __builtin_clzll(low) : 0;
    return is_below ? -power : power;
}

struct histogram_powers histogram__powers(const struct histogram *histogram)
{
    struct histogram_powers powers = {.first = HISTOGRAM_POWERS, .last = -HISTOGRAM_POWERS};
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        uint32_t bucket = bucket__at_rank(rank);
        int power = power_of(bucket);
        if (!histogram->counts[bucket])
            continue;
        uint64_t *count = &powers.counts[HISTOGRAM_POWERS + power];
        *count += histogram->counts[bucket];
        powers.first = power < powers.first ? power : powers.first;
        powers.last = power;
        powers.most = *count > powers.most ? *count : powers.most;
    }
    return powers;
}

static int width_of_ranges(const struct histogram_powers *powers, const struct histogram_scale *scale)
{
    size_t width = RANGE_CHARACTERS;
    for (int power = powers->first; power <= powers->last; power++) {
        char range[HISTOGRAM_RANGE_BYTES];
        histogram__word_range(scale, power, range);
        width = strlen(range) > width ? strlen(range) : width;
    }
    return (int)width;
}

static void put_bars(const struct histogram *histogram, const struct histogram_scale *scale, FILE *file)
{
    struct histogram_powers powers = histogram__powers(histogram);
    int width = width_of_ranges(&powers, scale);
    for (int power = powers.first; power <= powers.last; power++) {
        char range[HISTOGRAM_RANGE_BYTES];
        uint64_t count = powers.counts[HISTOGRAM_POWERS + power];
        histogram__word_range(scale, power, range);
        int bar = (int)ceil((double)count / (double)powers.most * BAR_CHARACTERS);
        fprintf(file, "%-*s %10" PRIu64 " |%.*s%*s|\n", width, range, count, bar,
                "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@", BAR_CHARACTERS - bar, "");
    }
}

static const struct {
    const char *text, *json;
    double share;
} percentiles[] = {{"p50", "p50", 0.5}, {"p90", "p90", 0.9}, {"p99", "p99", 0.99}, {"p99.9", "p999", 0.999}};
#define PERCENTILE_COUNT (sizeof(percentiles) / sizeof(percentiles[0]))

void histogram__put_facts(const struct histogram *histogram, FILE *file)
{
    char amount[TEXT_AMOUNT_BYTES];
    text__amount(histogram->sum, histogram->unit, amount);
    fprintf(file, "count %" PRIu64 ", sum %s%s", histogram->count, histogram->is_sum_coarse ? "about " : "", amount);
    if (histogram->count) {
        text__amount(histogram->min, histogram->unit, amount);
        fprintf(file, ", min %s%s", histogram->is_widened ? ">= " : "", amount);
        text__amount(histogram->max, histogram->unit, amount);
        fprintf(file, ", max %s%s", histogram->is_widened ? "<= " : "", amount);
        for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
            text__amount(histogram__percentile(histogram, percentiles[i].share), histogram->unit, amount);
            fprintf(file, ", %s <= %s", percentiles[i].text, amount);
        }
    }
    if (histogram->unmatched)
        fprintf(file, ", unmatched %" PRIu64, histogram->unmatched);
    if (histogram->lost)
        fprintf(file, ", lost %" PRIu64, histogram->lost);
}

void histogram__put_text(const struct histogram *histogram, FILE *file)
{
    struct histogram_scale scale = histogram__scale(histogram);
    fprintf(file, "%s%s%s (%s)\n", histogram->probe, *histogram->by ? ", " : "", histogram->by, scale.shown);
    histogram__put_facts(histogram, file);
    fputs("\n\n", file);
    put_bars(histogram, &scale, file);
}

static void put_number(const char *name, wide number, FILE *file)
{
    char digits[WIDE_TEXT_BYTES];
    fprintf(file, "\"%s\":%s", name, wide__text(number, digits));
}

static void put_buckets(const struct histogram *histogram, FILE *file)
{
    const char *comma = "";
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        uint32_t bucket = bucket__at_rank(rank);
        if (!histogram->counts[bucket])
            continue;
        fprintf(file, "%s{", comma);
        put_number("low", bucket__least(bucket), file);
        fputc(',', file);
        put_number("high", bucket__greatest(bucket) + 1, file);
        fprintf(file, ",\"count\":%" PRIu64 "}", histogram->counts[bucket]);
        comma = ",";
    }
}

static void put_json(const struct histogram *histogram, FILE *file)
{
    fputs("{\"probe\":", file);
    text__put_json(file, histogram->probe);
    fputs(",\"unit\":", file);
    text__put_json(file, histogram->unit);
    fputs(",\"by\":", file);
    text__put_json(file, histogram->by);
    fprintf(file, ",\"count\":%" PRIu64 ",", histogram->count);
    put_number("sum", histogram->sum, file);
    fputc(',', file);
    put_number("min", histogram->min, file);
    fputc(',', file);
    put_number("max", histogram->max, file);
    for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
        fputc(',', file);
        put_number(percentiles[i].json, histogram__percentile(histogram, percentiles[i].share), file);
    }
    fputs(",\"buckets\":[", file);
    put_buckets(histogram, file);
    fprintf(file, "],\"unmatched\":%" PRIu64 ",\"lost\":%" PRIu64 "}", histogram->unmatched, histogram->lost);
}

void histogram_list__put_json(const struct histogram_list *list, FILE *file)
{
    fputc('[', file);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i ? ",\n" : "", file);
        put_json(list->items[i], file);
    }
    fputs("]\n", file);
}
