#include "collector/metrics/metrics_names.h"

#include <limits.h>
#include <string.h>

#include "store/base/hash.h"
#include "store/base/safe_text.h"

#define PART_KEPT 0.9 // of an interval's time, one interval later
#define PART_MORE 2   // a name has so many times as much as the one whose place it takes

void metrics_name__clean(const char *text, char *out, size_t out_bytes)
{
    char clean[4 * PATH_MAX];
    size_t length = safe_text__copy(text, clean, sizeof(clean));
    const char *from = length < out_bytes ? clean : clean + length - (out_bytes - 1);
    while ((*from & 0xc0) == 0x80) // not in the middle of a character
        from++;
    memcpy(out, from, strlen(from) + 1);
}

static struct metrics_candidate *find(struct metrics_names *names, const char *name, uint64_t hash)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->candidates[i].hash == hash && strcmp(names->candidates[i].name.name, name) == 0)
            return &names->candidates[i];
    return NULL;
}

static double weight(const struct metrics_candidate *candidate)
{
    return candidate->recent_ns + (double)candidate->now_ns;
}

static struct metrics_candidate *lightest(struct metrics_names *names, bool is_told)
{
    struct metrics_candidate *found = NULL;
    for (size_t i = 0; i < names->count; i++)
        if (names->candidates[i].is_told == is_told && (!found || weight(&names->candidates[i]) < weight(found)))
            found = &names->candidates[i];
    return found;
}

static struct metrics_candidate *heaviest_untold(struct metrics_names *names)
{
    struct metrics_candidate *found = NULL;
    for (size_t i = 0; i < names->count; i++)
        if (!names->candidates[i].is_told && (!found || weight(&names->candidates[i]) > weight(found)))
            found = &names->candidates[i];
    return found;
}

// Where there is no place left, the lightest of those that are not told is forgotten.
static struct metrics_candidate *remember(struct metrics_names *names, const char *name, uint64_t hash)
{
    _Static_assert(LIMIT_METRICS_CANDIDATES > LIMIT_METRICS_NAMES, "one is not told");
    bool has_room = names->count < LIMIT_METRICS_CANDIDATES;
    struct metrics_candidate *place = has_room ? &names->candidates[names->count++] : lightest(names, false);
    names->others_ns += place->now_ns;
    names->forgotten_ns += place->name.told_ns;
    *place = (struct metrics_candidate){.hash = hash};
    memcpy(place->name.name, name, strlen(name) + 1);
    return place;
}

void metrics_names__add(struct metrics_names *names, const char *name, uint64_t ns)
{
    char clean[METRICS_NAME_BYTES];
    metrics_name__clean(name, clean, sizeof(clean));
    if (strcmp(clean, METRICS_OTHERS) == 0) {
        names->others_ns += ns;
        return;
    }
    uint64_t hash = hash__bytes(clean, strlen(clean));
    struct metrics_candidate *candidate = find(names, clean, hash);
    if (!candidate)
        candidate = remember(names, clean, hash);
    candidate->now_ns += ns;
}

// Each turn but the last changes places, and a name that has got one is heavier than all that can ask for it.
static void choose(struct metrics_names *names)
{
    for (;;) {
        struct metrics_candidate *heavy = heaviest_untold(names), *light = lightest(names, true);
        if (!heavy || weight(heavy) <= 0)
            return;
        if (names->told_count == LIMIT_METRICS_NAMES) {
            if (weight(heavy) <= PART_MORE * weight(light))
                return;
            light->is_told = false;
            names->told_count--;
        }
        heavy->is_told = true;
        names->told_count++;
    }
}

void metrics_names__end(struct metrics_names *names)
{
    choose(names);
    for (size_t i = 0; i < names->count; i++) {
        struct metrics_candidate *candidate = &names->candidates[i];
        if (candidate->is_told)
            candidate->name.told_ns += candidate->now_ns;
        else
            names->others_ns += candidate->now_ns;
        candidate->recent_ns = PART_KEPT * weight(candidate);
        candidate->now_ns = 0;
    }
}

size_t metrics_names__list(const struct metrics_names *names, struct metrics_name ret_told[LIMIT_METRICS_NAMES])
{
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++)
        if (names->candidates[i].is_told)
            ret_told[count++] = names->candidates[i].name;
    return count;
}
