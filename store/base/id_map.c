#include "store/base/id_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/hash.h"

// The slot that holds the id, or the free one where it belongs.
static size_t find_slot(const struct id_map *map, uint64_t id)
{
    size_t slot = hash__mix(id) & (map->slot_count - 1);
    while (map->numbers[slot] && map->ids[slot] != id)
        slot = (slot + 1) & (map->slot_count - 1);
    return slot;
}

bool id_map__get(const struct id_map *map, uint64_t id, uint32_t *ret_number)
{
    if (!map->slot_count)
        return false;
    size_t slot = find_slot(map, id);
    if (!map->numbers[slot])
        return false;
    *ret_number = map->numbers[slot] - 1;
    return true;
}

static int grow(struct id_map *map)
{
    struct id_map grown = {.slot_count = map->slot_count ? map->slot_count * 2 : 64, .used = map->used};
    grown.ids = malloc(grown.slot_count * sizeof(*grown.ids));
    grown.numbers = calloc(grown.slot_count, sizeof(*grown.numbers));
    if (!grown.ids || !grown.numbers) {
        id_map__release(&grown);
        return -ENOMEM;
    }
    for (size_t slot = 0; slot < map->slot_count; slot++) {
        if (!map->numbers[slot])
            continue;
        size_t to = find_slot(&grown, map->ids[slot]);
        grown.ids[to] = map->ids[slot];
        grown.numbers[to] = map->numbers[slot];
    }
    id_map__release(map);
    *map = grown;
    return 0;
}

int id_map__put(struct id_map *map, uint64_t id, uint32_t number)
{
    if (map->used + 1 > map->slot_count / 4 * 3) {
        int err = grow(map);
        if (err)
            return err;
    }
    size_t slot = find_slot(map, id);
    map->used += !map->numbers[slot];
    map->ids[slot] = id;
    map->numbers[slot] = number + 1;
    return 0;
}

void id_map__clear(struct id_map *map)
{
    if (map->slot_count)
        memset(map->numbers, 0, map->slot_count * sizeof(*map->numbers));
    map->used = 0;
}

void id_map__release(struct id_map *map)
{
    free(map->ids);
    free(map->numbers);
    *map = (struct id_map){0};
}
