#include "report/histogram.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/text.h"
#include "store/base/cleanup.h"

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
    *list = (struct histogram_list){0};
}

static char *clean_copy(const char *text)
{
    _cleanup_(buf__release) struct buf clean = {0};
    text__append_clean(&clean, text);
    buf__append_byte(&clean, '\0');
    return clean.failed ? NULL : (char *)take_pointer(clean.data);
}

int histogram_list__find(struct histogram_list *list, const char *probe, const char *unit, const char *by,
                         struct histogram **ret_histogram)
{
    _cleanup_(histogram__freep) struct histogram *made = calloc(1, sizeof(*made));
    if (!made)
        return -ENOMEM;
    made->probe = clean_copy(probe);
    made->unit = clean_copy(unit);
    made->by = clean_copy(by);
    if (!made->probe || !made->unit || !made->by)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->probe, made->probe) == 0 && strcmp(list->items[i]->by, made->by) == 0) {
            *ret_histogram = list->items[i];
            return 0;
        }
    struct histogram **items = reallocarray(list->items, list->count + 1, sizeof(struct histogram *));
    if (!items)
        return -ENOMEM;
    list->items = items;
    *ret_histogram = items[list->count++] = take_pointer(made);
    return 0;
}

static bool has_fuller(const struct histogram_list *list, size_t at)
{
    for (size_t i = 0; i < list->count; i++)
        if (i != at && list->items[i]->tag == list->items[at]->tag &&
            (list->items[i]->count || list->items[i]->unmatched))
            return true;
    return false;
}

void histogram_list__drop_empty(struct histogram_list *list)
{
    for (size_t i = list->count; i-- > 0;) {
        const struct histogram *histogram = list->items[i];
        if (histogram->count || histogram->unmatched || !has_fuller(list, i))
            continue;
        histogram__free(list->items[i]);
        memmove(&list->items[i], &list->items[i + 1], (--list->count - i) * sizeof(*list->items));
    }
}

static int compare_sums(const void *left, const void *right)
{
    const struct histogram *a = *(struct histogram *const *)left, *b = *(struct histogram *const *)right;
    if (a->sum != b->sum)
        return a->sum > b->sum ? -1 : 1;
    return strcmp(a->by, b->by);
}

void histogram_list__sort(struct histogram_list *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof(struct histogram *), compare_sums);
}

static void widen(struct histogram *histogram, uint64_t min, uint64_t max)
{
    if (!histogram->count || min < histogram->min)
        histogram->min = min;
    if (!histogram->count || max > histogram->max)
        histogram->max = max;
}

void histogram__add_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count, uint64_t sum)
{
    if (bucket >= BUCKET_COUNT || !count)
        return;
    widen(histogram, bucket__low(bucket), bucket__low(bucket + 1) - 1);
    histogram->is_widened = true;
    histogram->counts[bucket] += count;
    histogram->count += count;
    histogram->sum += sum;
}

int histogram__add_counts(struct histogram *histogram, const uint64_t *counts, size_t count_of_buckets, uint64_t sum,
                          uint64_t min, uint64_t max)
{
    if (count_of_buckets > BUCKET_COUNT)
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

uint64_t histogram__percentile(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
    for (uint32_t bucket = 0; bucket < BUCKET_COUNT; bucket++) {
        seen += histogram->counts[bucket];
        if (!seen || seen < rank)
            continue;
        uint64_t high = bucket__low(bucket + 1) - 1;
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
        uint64_t from; // the scale is chosen when the median is at least this
    } scales[] = {
        {"ns", "s", 1e9, 100000000000},    {"ns", "ms", 1e6, 1000000},        {"ns", "us", 1e3, 1000},
        {"bytes", "MiB", 0x1p20, 1 << 20}, {"bytes", "KiB", 0x1p10, 1 << 10},
    };
    uint64_t median = histogram__percentile(histogram, 0.5);
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
        if (strcmp(scales[i].unit, histogram->unit) == 0 && median >= scales[i].from)
            return (struct histogram_scale){scales[i].shown, scales[i].size};
    return (struct histogram_scale){histogram->unit, 1};
}

// At least three digits that count, however small, and never an exponent: bounds that differ look different.
static void word_bound(double bound, const struct histogram_scale *scale, char ret_word[32])
{
    double scaled = bound / scale->size;
    int decimals = 0;
    if (scale->size > 1 && scaled > 0 && scaled < 100)
        decimals = scaled >= 10 ? 1 : scaled >= 1 ? 2 : 2 - (int)floor(log10(scaled));
    snprintf(ret_word, 32, "%.*f", decimals, scaled);
}

void histogram__word_range(const struct histogram_scale *scale, unsigned power, char ret_range[72])
{
    char low[32], high[32];
    word_bound(power ? ldexp(1, (int)power - 1) : 0, scale, low);
    word_bound(ldexp(1, (int)power), scale, high);
    snprintf(ret_range, 72, "[%s, %s)", low, high);
}

struct histogram_powers histogram__powers(const struct histogram *histogram)
{
    struct histogram_powers powers = {.first = 64};
    for (uint32_t bucket = 0; bucket < BUCKET_COUNT; bucket++) {
        uint64_t low = bucket__low(bucket), count = histogram->counts[bucket];
        unsigned power = low ? 64 - (unsigned)__builtin_clzll(low) : 0;
        if (!count)
            continue;
        powers.counts[power] += count;
        powers.first = power < powers.first ? power : powers.first;
        powers.last = power;
        powers.most = powers.counts[power] > powers.most ? powers.counts[power] : powers.most;
    }
    return powers;
}

static int width_of_ranges(const struct histogram_powers *powers, const struct histogram_scale *scale)
{
    size_t width = RANGE_CHARACTERS;
    for (unsigned power = powers->first; power <= powers->last; power++) {
        char range[72];
        histogram__word_range(scale, power, range);
        width = strlen(range) > width ? strlen(range) : width;
    }
    return (int)width;
}

static void put_bars(const struct histogram *histogram, const struct histogram_scale *scale, FILE *file)
{
    struct histogram_powers powers = histogram__powers(histogram);
    int width = width_of_ranges(&powers, scale);
    for (unsigned power = powers.first; power <= powers.last; power++) {
        char range[72];
        histogram__word_range(scale, power, range);
        int bar = (int)ceil((double)powers.counts[power] / (double)powers.most * BAR_CHARACTERS);
        fprintf(file, "%-*s %10" PRIu64 " |%.*s%*s|\n", width, range, powers.counts[power], bar,
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
    fprintf(file, "count %" PRIu64 ", sum %s", histogram->count, amount);
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

static void put_json(const struct histogram *histogram, FILE *file)
{
    fputs("{\"probe\":", file);
    text__put_json(file, histogram->probe);
    fputs(",\"unit\":", file);
    text__put_json(file, histogram->unit);
    fputs(",\"by\":", file);
    text__put_json(file, histogram->by);
    fprintf(file, ",\"count\":%" PRIu64 ",\"sum\":%" PRIu64 ",\"min\":%" PRIu64 ",\"max\":%" PRIu64, histogram->count,
            histogram->sum, histogram->min, histogram->max);
    for (size_t i = 0; i < PERCENTILE_COUNT; i++)
        fprintf(file, ",\"%s\":%" PRIu64, percentiles[i].json, histogram__percentile(histogram, percentiles[i].share));
    fputs(",\"buckets\":[", file);
    const char *comma = "";
    for (uint32_t bucket = 0; bucket < BUCKET_COUNT; bucket++) {
        if (!histogram->counts[bucket])
            continue;
        fprintf(file, "%s{\"low\":%" PRIu64 ",\"high\":", comma, bucket__low(bucket));
        if (bucket + 1 == BUCKET_COUNT) // 2^64 does not fit 64 bits
            fputs("18446744073709551616", file);
        else
            fprintf(file, "%" PRIu64, bucket__low(bucket + 1));
        fprintf(file, ",\"count\":%" PRIu64 "}", histogram->counts[bucket]);
        comma = ",";
    }
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
