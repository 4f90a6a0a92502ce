// A hash set of indices into records kept elsewhere: 4 bytes a slot, a third of the slots free. The owner of the
// records says what equals what.
//
//   for (uint32_t at = slot_set__first(&set, hash); set.slots[at]; at = slot_set__next(&set, at))
//       if (records[set.slots[at] - 1] is the one) return set.slots[at] - 1;
//   slot_set__put(&set, hash, index);
#ifndef HEARTH_STORE_BASE_SLOT_SET_H
#define HEARTH_STORE_BASE_SLOT_SET_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct slot_set {
    uint32_t *slots; // index plus 1; 0: free
    uint32_t mask;   // slots are a power of two; 0: none yet
    uint32_t used;
};

static inline uint32_t slot_set__first(const struct slot_set *set, uint64_t hash)
{
    return (uint32_t)hash & set->mask;
}

static inline uint32_t slot_set__next(const struct slot_set *set, uint32_t at)
{
    return (at + 1) & set->mask;
}

// Room for one more. Rehashing asks the owner for the hash of a record.
static inline int slot_set__reserve(struct slot_set *set, uint64_t (*hash_of)(const void *owner, uint32_t index),
                                    const void *owner)
{
    uint64_t size = set->slots ? (uint64_t)set->mask + 1 : 0;
    if (((uint64_t)set->used + 1) * 3 <= size * 2)
        return 0;
    uint64_t grown_size = size ? size * 2 : 64;
    if (grown_size > UINT32_MAX)
        return -ENOMEM;
    struct slot_set grown = {.slots = calloc(grown_size, sizeof(*grown.slots)), .mask = (uint32_t)grown_size - 1};
    if (!grown.slots)
        return -ENOMEM;
    for (uint64_t i = 0; i < size; i++) {
        if (!set->slots[i])
            continue;
        uint32_t at = slot_set__first(&grown, hash_of(owner, set->slots[i] - 1));
        while (grown.slots[at])
            at = slot_set__next(&grown, at);
        grown.slots[at] = set->slots[i];
    }
    grown.used = set->used;
    free(set->slots);
    *set = grown;
    return 0;
}

// After a reserve.
static inline void slot_set__put(struct slot_set *set, uint64_t hash, uint32_t index)
{
    uint32_t at = slot_set__first(set, hash);
    while (set->slots[at])
        at = slot_set__next(set, at);
    set->slots[at] = index + 1;
    set->used++;
}

static inline void slot_set__release(struct slot_set *set)
{
    free(set->slots);
    *set = (struct slot_set){0};
}

#endif
