// A hash table from 64-bit ids to 32-bit numbers (an index into the caller's array): open addressing, 12 bytes a slot,
// at most 3/4 full. No removal but of everything.
#ifndef HEARTH_STORE_BASE_ID_MAP_H
#define HEARTH_STORE_BASE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_map {
    uint64_t *ids;
    uint32_t *numbers; // plus 1; 0: the slot is free
    size_t slot_count; // a power of two, or 0
    size_t used;
};

bool id_map__get(const struct id_map *map, uint64_t id, uint32_t *ret_number);
int id_map__put(struct id_map *map, uint64_t id, uint32_t number); // replaces; -ENOMEM
void id_map__clear(struct id_map *map);                            // keeps the memory
void id_map__release(struct id_map *map);

#endif
