#include "report/histograms/histogram_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS_A_THOUSAND 10 // 1, 2, 4 ... 512 of a unit of time
#define THOUSANDS       3  // ns, us, ms; what is longer is in seconds

// By the median, so that the unit is that of the usual value: the ends of a wide histogram may be thousands of it, or
// thousandths.
struct histogram_scale histogram_scale__of(const struct histogram *histogram)
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

// Where row `row` of magnitudes ends: 1, 2, 4 ... of the unit.
static wide end_of(const char *unit, int row)
{
    wide size = 1;
    if (strcmp(unit, "ns") == 0)
        for (int i = 0; i < THOUSANDS && row >= ROWS_A_THOUSAND; i++, row -= ROWS_A_THOUSAND)
            size *= 1000;
    return size << row;
}

static int row_of(const char *unit, uint32_t bucket)
{
    bool is_below = bucket__is_below_zero(bucket);
    uint32_t magnitude = is_below ? bucket - BUCKET_COUNT : bucket;
    wide middle = (bucket__least(magnitude) + bucket__greatest(magnitude)) / 2;
    int row = 0;
    while (row < HISTOGRAM_ROWS && middle >= end_of(unit, row))
        row++;
    return is_below ? -row : row;
}

struct histogram_rows histogram_rows__of(const struct histogram *histogram)
{
    struct histogram_rows rows = {.first = HISTOGRAM_ROWS, .last = -HISTOGRAM_ROWS};
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        uint32_t bucket = bucket__at_rank(rank);
        if (!histogram->counts[bucket])
            continue;
        int row = row_of(histogram->unit, bucket);
        uint64_t *count = &rows.counts[HISTOGRAM_ROWS + row];
        *count += histogram->counts[bucket];
        rows.first = row < rows.first ? row : rows.first;
        rows.last = row;
        rows.most = *count > rows.most ? *count : rows.most;
    }
    return rows;
}

// At least three digits that count, however small, and never an exponent: bounds that differ look different.
static void word_bound(wide bound, const struct histogram_scale *scale, char ret_word[WIDE_TEXT_BYTES])
{
    double scaled = (double)bound / scale->size, magnitude = fabs(scaled);
    int decimals = 0;
    if (scale->size <= 1) {
        wide__text(bound, ret_word);
        return;
    }
    if (magnitude > 0 && magnitude < 100)
        decimals = magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 2 - (int)floor(log10(magnitude));
    snprintf(ret_word, WIDE_TEXT_BYTES, "%.*f", decimals, scaled);
    if (!decimals)
        return;
    char *end = ret_word + strlen(ret_word);
    while (end[-1] == '0')
        *--end = '\0';
    if (end[-1] == '.')
        end[-1] = '\0';
}

// Below 0 the ends are one further up than above: what is in and what is not does not change its side.
void histogram_rows__word(const char *unit, const struct histogram_scale *scale, int row,
                          char ret_range[HISTOGRAM_RANGE_BYTES])
{
    char low[WIDE_TEXT_BYTES], high[WIDE_TEXT_BYTES];
    int magnitude = row < 0 ? -row : row;
    wide least = magnitude ? end_of(unit, magnitude - 1) : 0, end = end_of(unit, magnitude);
    word_bound(row < 0 ? 1 - end : least, scale, low);
    word_bound(row < 0 ? 1 - least : end, scale, high);
    snprintf(ret_range, HISTOGRAM_RANGE_BYTES, "[%s, %s)", low, high);
}
