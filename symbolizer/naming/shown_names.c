#include "symbolizer/naming/shown_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/hash.h"
#include "store/base/limits.h"
#include "symbolizer/symbols/symbol_name.h"

struct shown_name {
    uint32_t hash;
    uint32_t name; // in texts
    uint32_t shown;
};

void shown_names__release(struct shown_names *names)
{
    slot_set__release(&names->by_name);
    buf__release(&names->names);
    buf__release(&names->texts);
    *names = (struct shown_names){0};
}

void shown_names__trim(struct shown_names *names)
{
    if (names->texts.length_bytes > LIMIT_SHOWN_NAMES_BYTES)
        shown_names__release(names);
}

static struct shown_name *all_of(const struct shown_names *names, size_t *ret_count)
{
    *ret_count = names->names.length_bytes / sizeof(struct shown_name);
    return (struct shown_name *)names->names.data;
}

static uint64_t hash_of(const void *owner, uint32_t number)
{
    size_t count;
    return all_of(owner, &count)[number].hash;
}

static const char *text_at(const struct shown_names *names, uint32_t at)
{
    return (const char *)names->texts.data + at;
}

// Whether a name is known, and its number.
static bool find(const struct shown_names *names, const char *name, uint32_t hash, uint32_t *ret_number)
{
    const struct slot_set *set = &names->by_name;
    size_t count;
    const struct shown_name *all = all_of(names, &count);
    for (uint32_t at = slot_set__first(set, hash); set->slots[at]; at = slot_set__next(set, at)) {
        *ret_number = set->slots[at] - 1;
        if (all[*ret_number].hash == hash && strcmp(text_at(names, all[*ret_number].name), name) == 0)
            return true;
    }
    return false;
}

uint32_t shown_names__want(struct shown_names *names, const char *name)
{
    size_t count, length = strlen(name);
    all_of(names, &count);
    if (!symbol_name__is_mangled(name) || slot_set__reserve(&names->by_name, hash_of, names) != 0)
        return SHOWN_AS_IT_IS;
    uint32_t hash = (uint32_t)hash__text(name, length);
    uint32_t number;
    if (find(names, name, hash, &number))
        return number;
    if (names->texts.length_bytes + length + 1 >= UINT32_MAX)
        return SHOWN_AS_IT_IS;
    struct shown_name added = {hash, (uint32_t)names->texts.length_bytes, SHOWN_AS_IT_IS};
    if (!buf__reserve(&names->texts, length + 1) || !buf__reserve(&names->names, sizeof(added)))
        return SHOWN_AS_IT_IS;
    buf__append(&names->texts, name, length + 1);
    buf__append(&names->names, &added, sizeof(added));
    slot_set__put(&names->by_name, hash, (uint32_t)count);
    return (uint32_t)count;
}

size_t shown_names__wanted(const struct shown_names *names)
{
    size_t count;
    all_of(names, &count);
    return count - names->begun;
}

void shown_names__begin(struct shown_names *names, struct worker *worker, struct learning *ret_learning)
{
    size_t count;
    const struct shown_name *all = all_of(names, &count);
    _cleanup_(buf__release) struct buf wanted = {0};
    *ret_learning = (struct learning){.first = names->begun, .count = count - names->begun};
    for (size_t i = names->begun; i < count; i++) {
        const char *name = text_at(names, all[i].name);
        buf__append(&wanted, name, strlen(name) + 1);
    }
    names->begun = count;
    if (ret_learning->count > 0 && !wanted.failed &&
        worker_names__begin(worker, (const char *)wanted.data, wanted.length_bytes, ret_learning->count,
                            &ret_learning->job) != 0)
        ret_learning->job = NULL;
}

void shown_names__end(struct shown_names *names, struct learning *learning)
{
    size_t count, at = names->texts.length_bytes;
    struct shown_name *all = all_of(names, &count);
    if (!learning->job || worker_names__end(learning->job, &names->texts) != 0)
        learning->count = 0;
    learning->job = NULL;
    for (size_t i = learning->first; i < learning->first + learning->count; i++) {
        size_t length = strlen(text_at(names, (uint32_t)at));
        if (length > 0 && at + length < UINT32_MAX)
            all[i].shown = (uint32_t)at;
        at += length + 1;
    }
}

const char *shown_names__text(const struct shown_names *names, uint32_t number)
{
    size_t count;
    const struct shown_name *all = all_of(names, &count);
    return number < count && all[number].shown != SHOWN_AS_IT_IS ? text_at(names, all[number].shown) : NULL;
}
