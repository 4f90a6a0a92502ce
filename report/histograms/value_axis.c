#include "report/histograms/value_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEAST_LENGTH 2.0 // in powers of two: the sparsest round values are not farther apart

static double place_of(double value)
{
    return value < 0 ? -log2(1 - value) : log2(1 + value);
}

struct value_axis value_axis__new(const char *unit)
{
    return (struct value_axis){.unit = unit, .low = HUGE_VAL, .high = -HUGE_VAL};
}

void value_axis__hold(struct value_axis *axis, uint32_t bucket)
{
    axis->low = fmin(axis->low, place_of((double)bucket__least(bucket)));
    axis->high = fmax(axis->high, place_of((double)bucket__greatest(bucket) + 1));
}

void value_axis__hold_all(struct value_axis *axis, const struct histogram *histogram)
{
    for (uint32_t bucket = 0; histogram && bucket < BUCKETS_TOTAL; bucket++)
        if (histogram->counts[bucket])
            value_axis__hold(axis, bucket);
}

void value_axis__finish(struct value_axis *axis)
{
    if (axis->low > axis->high)
        axis->low = axis->high = 0;
    double lacks = LEAST_LENGTH - (axis->high - axis->low);
    if (lacks <= 0)
        return;
    axis->low -= axis->low >= 0 ? fmin(lacks / 2, axis->low) : lacks / 2;
    axis->high = axis->low + LEAST_LENGTH;
}

double value_axis__place(const struct value_axis *axis, double value)
{
    return (place_of(value) - axis->low) / (axis->high - axis->low);
}

// Round values: each of the factors times each power of the base.
struct rounds {
    double base, factors[8];
};
// From dense to sparse.
static const struct rounds decimals[] = {
    {10, {1, 1.5, 2, 3, 4, 5, 6, 8}}, {10, {1, 2, 5}}, {10, {1}}, {100, {1}}, {1000, {1}}, {1e6, {1}}};
static const struct rounds binaries[] = {{2, {1, 1.5}}, {2, {1}}, {4, {1}}, {16, {1}}, {1024, {1}}, {0x1p20, {1}}};
#define ROUNDS_COUNT (sizeof(decimals) / sizeof(decimals[0]))

static void word_tick(double value, const char *unit, char ret_words[24])
{
    static const struct {
        const char *unit, *shown;
        double size;
    } scales[] = {
        {"ns", " s", 1e9},
        {"ns", " ms", 1e6},
        {"ns", " us", 1e3},
        {"ns", " ns", 0},
        {"bytes", " EiB", 0x1p60},
        {"bytes", " PiB", 0x1p50},
        {"bytes", " TiB", 0x1p40},
        {"bytes", " GiB", 0x1p30},
        {"bytes", " MiB", 0x1p20},
        {"bytes", " KiB", 0x1p10},
        {"bytes", " B", 0},
        {"", "e18", 1e18},
        {"", "e15", 1e15},
        {"", "T", 1e12},
        {"", "G", 1e9},
        {"", "M", 1e6},
        {"", "k", 1e3},
        {"", "", 0},
    };
    bool has_scale = strcmp(unit, "ns") == 0 || strcmp(unit, "bytes") == 0;
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
        if (strcmp(scales[i].unit, has_scale ? unit : "") == 0 && fabs(value) >= scales[i].size) {
            snprintf(ret_words, 24, "%.4g%.5s", scales[i].size > 0 ? value / scales[i].size : value, scales[i].shown);
            return;
        }
}

static void add(const struct value_axis *axis, double value, struct value_tick *ticks, size_t *count)
{
    double place = value_axis__place(axis, value);
    if (place < -1e-9 || place > 1 + 1e-9 || *count >= VALUE_TICKS_MAX || value != floor(value))
        return;
    ticks[*count].place = place;
    word_tick(value, axis->unit, ticks[(*count)++].words);
}

static size_t list(const struct value_axis *axis, const struct rounds *rounds, struct value_tick *ticks)
{
    size_t count = 0;
    add(axis, 0, ticks, &count);
    for (double power = 1; power < 0x1p65; power *= rounds->base)
        for (size_t i = 0; i < sizeof(rounds->factors) / sizeof(rounds->factors[0]) && rounds->factors[i] > 0; i++) {
            add(axis, power * rounds->factors[i], ticks, &count);
            add(axis, -power * rounds->factors[i], ticks, &count);
        }
    return count;
}

static double least_gap_of(const struct value_tick *ticks, size_t count)
{
    double least = HUGE_VAL;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            least = fmin(least, fabs(ticks[i].place - ticks[j].place));
    return least;
}

size_t value_axis__ticks(const struct value_axis *axis, double least_gap, struct value_tick ret_ticks[VALUE_TICKS_MAX])
{
    const struct rounds *rounds = strcmp(axis->unit, "bytes") == 0 ? binaries : decimals;
    size_t count = 0;
    for (size_t i = 0; i < ROUNDS_COUNT; i++) {
        count = list(axis, &rounds[i], ret_ticks);
        if (count < VALUE_TICKS_MAX && least_gap_of(ret_ticks, count) >= least_gap)
            break;
    }
    return count;
}
