#include "collector/metrics/metrics_histograms.h"

#include <string.h>

// One place for each event that a recording can have is left to its other keys.
#define FOR_KEYS (LIMIT_METRICS_HISTOGRAMS - WIRE_EVENTS_MAX)
_Static_assert(FOR_KEYS > 0, "there is room for keys");

static struct metrics_histogram *find(struct metrics_totals *totals, const char *event, const char *key)
{
    for (size_t i = 0; i < totals->histogram_count; i++)
        if (strcmp(totals->histograms[i].event, event) == 0 && strcmp(totals->histograms[i].key, key) == 0)
            return &totals->histograms[i];
    return NULL;
}

static enum metrics_unit unit_of(const char *unit)
{
    return strcmp(unit, "ns") == 0 ? METRICS_SECONDS : strcmp(unit, "bytes") == 0 ? METRICS_BYTES : METRICS_VALUES;
}

// NULL: as many events as a recording can have were recorded before, and others are now.
static struct metrics_histogram *make(struct metrics_totals *totals, const char *event, const char *key,
                                      const char *unit)
{
    if (totals->histogram_count == LIMIT_METRICS_HISTOGRAMS)
        return NULL;
    struct metrics_histogram *made = &totals->histograms[totals->histogram_count++];
    *made = (struct metrics_histogram){.unit = unit_of(unit)};
    memcpy(made->event, event, strlen(event) + 1);
    memcpy(made->key, key, strlen(key) + 1);
    return made;
}

static struct metrics_histogram *find_or_make(struct metrics_totals *totals, const char *event, const char *key,
                                              const char *unit)
{
    struct metrics_histogram *found = find(totals, event, key);
    if (found)
        return found;
    if (totals->histogram_count < FOR_KEYS)
        return make(totals, event, key, unit);
    found = find(totals, event, METRICS_OTHERS);
    return found ? found : make(totals, event, METRICS_OTHERS, unit);
}

// The number of binary digits: a bucket is within one power of two.
static unsigned step_of(uint32_t bucket)
{
    uint64_t low = bucket__is_below_zero(bucket) ? 0 : bucket__low(bucket);
    return low ? 64 - (unsigned)__builtin_clzll(low) : 0;
}

void metrics_histograms__add(struct metrics_totals *totals, const char *event, const char *unit,
                             const struct store_histogram *histogram)
{
    char name[METRICS_NAME_BYTES], key[METRICS_NAME_BYTES];
    metrics_name__clean(event, name, sizeof(name));
    metrics_name__clean(histogram->key, key, sizeof(key));
    struct metrics_histogram *sum = find_or_make(totals, name, key, unit);
    if (!sum)
        return;
    for (uint32_t i = 0; i < histogram->count_of_buckets; i++) {
        uint64_t count = histogram->counts[i];
        sum->has_negative = sum->has_negative || (count && bucket__is_below_zero(i));
        sum->steps[step_of(i)] += count;
        sum->count += count;
    }
    sum->sum += histogram->sum;
    sum->unmatched += histogram->unmatched;
}
