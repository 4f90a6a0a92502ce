// Chunks of stacks by their ids.
#ifndef HEARTH_COLLECTOR_PROGRAMS_CHUNK_SHELF_H
#define HEARTH_COLLECTOR_PROGRAMS_CHUNK_SHELF_H

#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/programs/map_table.h"
#include "store/base/id_map.h"

struct chunk_shelf {
    struct map_table chunks;
    struct id_map by_id;
};

#define CHUNK_SHELF_EMPTY                                                                                              \
    ((struct chunk_shelf){.chunks = {.key_bytes = sizeof(uint64_t), .value_bytes = sizeof(struct wire_chunk)}})

void chunk_shelf__release(struct chunk_shelf *shelf);

// Finds anew what chunks have been read into the table. -ENOMEM.
int chunk_shelf__index(struct chunk_shelf *shelf);

// NULL: there is none. Valid until the shelf changes.
const struct wire_chunk *chunk_shelf__find(const struct chunk_shelf *shelf, uint64_t id);

int chunk_shelf__put(struct chunk_shelf *shelf, uint64_t id, const struct wire_chunk *chunk); // -ENOMEM
void chunk_shelf__swap(struct chunk_shelf *a, struct chunk_shelf *b);
void chunk_shelf__clear(struct chunk_shelf *shelf); // keeps the memory

#endif
