#include "symbolizer/shown_names.h"

#include <errno.h>
#include <string.h>

#include "store/base/hash.h"
#include "store/base/limits.h"
#include "symbolizer/symbol_name.h"

#define AS_IT_IS UINT32_MAX

struct shown_name {
    uint64_t hash; // 0: free
    uint32_t name; // in texts
    uint32_t shown;
};

void shown_names__release(struct shown_names *names)
{
    free(names->slots);
    buf__release(&names->texts);
    buf__release(&names->wanted);
    *names = (struct shown_names){0};
}

void shown_names__trim(struct shown_names *names)
{
    if (names->texts.length_bytes > LIMIT_SHOWN_NAMES_BYTES)
        shown_names__release(names);
}

static bool grow(struct shown_names *names)
{
    size_t count = names->slot_count ? names->slot_count * 2 : 256;
    struct shown_name *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < names->slot_count; i++) {
        if (!names->slots[i].hash)
            continue;
        size_t at = names->slots[i].hash & (count - 1);
        while (slots[at].hash)
            at = (at + 1) & (count - 1);
        slots[at] = names->slots[i];
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count = count;
    return true;
}

static const char *text(const struct shown_names *names, uint32_t at)
{
    return (const char *)names->texts.data + at;
}

// The slot of a name, or the free one where it belongs; NULL without memory.
static struct shown_name *slot_of(const struct shown_names *names, const char *name, uint64_t hash)
{
    if (names->slot_count == 0)
        return NULL;
    size_t at = hash & (names->slot_count - 1);
    while (names->slots[at].hash &&
           (names->slots[at].hash != hash || strcmp(text(names, names->slots[at].name), name) != 0))
        at = (at + 1) & (names->slot_count - 1);
    return &names->slots[at];
}

static uint64_t hash_of(const char *name)
{
    return hash__text(name, strlen(name)) | 1;
}

void shown_names__want(struct shown_names *names, const char *name)
{
    if (!symbol_name__is_mangled(name) || (names->used * 2 >= names->slot_count && !grow(names)))
        return;
    uint64_t hash = hash_of(name);
    struct shown_name *slot = slot_of(names, name, hash);
    size_t length = strlen(name) + 1;
    if (slot->hash || names->texts.length_bytes + length >= UINT32_MAX)
        return;
    buf__append(&names->wanted, name, length);
    buf__append(&names->texts, name, length);
    if (names->wanted.failed || names->texts.failed)
        return;
    *slot = (struct shown_name){hash, (uint32_t)(names->texts.length_bytes - length), AS_IT_IS};
    names->used++;
    names->wanted_count++;
}

int shown_names__learn(struct shown_names *names, struct worker *worker)
{
    _cleanup_free_ char *shown = NULL;
    if (names->wanted_count == 0)
        return 0;
    int err = names->wanted.failed ? -ENOMEM : worker__demangle(worker, &names->wanted, names->wanted_count, &shown);
    const char *name = (const char *)names->wanted.data, *at = shown;
    for (size_t i = 0; i < names->wanted_count && !err; i++, name += strlen(name) + 1, at += strlen(at) + 1) {
        struct shown_name *slot = slot_of(names, name, hash_of(name));
        size_t length = strlen(at) + 1;
        if (length == 1 || !slot->hash || names->texts.length_bytes + length >= UINT32_MAX)
            continue;
        uint32_t place = (uint32_t)names->texts.length_bytes;
        buf__append(&names->texts, at, length);
        if (names->texts.failed)
            break;
        slot->shown = place;
    }
    buf__clear(&names->wanted);
    names->wanted_count = 0;
    return err;
}

const char *shown_names__find(const struct shown_names *names, const char *name)
{
    if (!symbol_name__is_mangled(name))
        return name;
    const struct shown_name *slot = slot_of(names, name, hash_of(name));
    return slot && slot->hash && slot->shown != AS_IT_IS ? text(names, slot->shown) : name;
}
