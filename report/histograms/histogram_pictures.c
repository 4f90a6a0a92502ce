#include "report/histograms/histogram_pictures.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/cleanup.h"

#define BAR_CHARACTERS   40
#define RANGE_CHARACTERS 22 // at least

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
