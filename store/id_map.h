// A hash set of indices into records kept elsewhere: 4 bytes a slot, a third of the slots free. The owner of the
// records says what equals what.
//
//   for (uint32_t at = id_map__first(&map, hash); map.slots[at]; at = id_map__next(&map, at))
//       if (records[map.slots[at] - 1] is the one) return map.slots[at] - 1;
//   id_map__put(&map, hash, index);
#ifndef HEARTH_STORE_ID_MAP_H
#define HEARTH_STORE_ID_MAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct id_map {
    uint32_t *slots; // index plus 1; 0: free
    uint32_t mask;   // slots are a power of two; 0: none yet
    uint32_t used;
};

static inline uint32_t id_map__first(const struct id_map *map, uint64_t hash)
{
    return (uint32_t)hash & map->mask;
}

static inline uint32_t id_map__next(const struct id_map *map, uint32_t at)
{
    return (at + 1) & map->mask;
}

// Room for one more. Rehashing asks the owner for the hash of a record.
static inline int id_map__reserve(struct id_map *map, uint64_t (*hash_of)(const void *owner, uint32_t index),
                                  const void *owner)
{
    uint64_t size = map->slots ? (uint64_t)map->mask + 1 : 0;
    if (((uint64_t)map->used + 1) * 3 <= size * 2)
        return 0;
    uint64_t grown_size = size ? size * 2 : 64;
    if (grown_size > UINT32_MAX)
        return -ENOMEM;
    struct id_map grown = {.slots = calloc(grown_size, sizeof(*grown.slots)), .mask = (uint32_t)grown_size - 1};
    if (!grown.slots)
        return -ENOMEM;
    for (uint64_t i = 0; i < size; i++) {
        if (!map->slots[i])
            continue;
        uint32_t at = id_map__first(&grown, hash_of(owner, map->slots[i] - 1));
        while (grown.slots[at])
            at = id_map__next(&grown, at);
        grown.slots[at] = map->slots[i];
    }
    grown.used = map->used;
    free(map->slots);
    *map = grown;
    return 0;
}

// After a reserve.
static inline void id_map__put(struct id_map *map, uint64_t hash, uint32_t index)
{
    uint32_t at = id_map__first(map, hash);
    while (map->slots[at])
        at = id_map__next(map, at);
    map->slots[at] = index + 1;
    map->used++;
}

static inline void id_map__release(struct id_map *map)
{
    free(map->slots);
    *map = (struct id_map){0};
}

#endif
