#include "collector/programs/chunk_shelf.h"

#include <string.h>

void chunk_shelf__release(struct chunk_shelf *shelf)
{
    map_table__release(&shelf->chunks);
    id_map__release(&shelf->by_id);
}

int chunk_shelf__index(struct chunk_shelf *shelf)
{
    id_map__clear(&shelf->by_id);
    const uint64_t *ids = (const uint64_t *)(const void *)shelf->chunks.keys;
    int err = 0;
    for (size_t i = 0; i < shelf->chunks.count && !err; i++)
        err = id_map__put(&shelf->by_id, ids[i], (uint32_t)i);
    return err;
}

const struct wire_chunk *chunk_shelf__find(const struct chunk_shelf *shelf, uint64_t id)
{
    uint32_t index;
    if (!id_map__get(&shelf->by_id, id, &index))
        return NULL;
    return (const struct wire_chunk *)(const void *)(shelf->chunks.values + index * sizeof(struct wire_chunk));
}

int chunk_shelf__put(struct chunk_shelf *shelf, uint64_t id, const struct wire_chunk *chunk)
{
    int err = map_table__reserve(&shelf->chunks, shelf->chunks.count + 1);
    if (!err)
        err = id_map__put(&shelf->by_id, id, (uint32_t)shelf->chunks.count);
    if (err)
        return err;
    memcpy(shelf->chunks.keys + shelf->chunks.count * sizeof(id), &id, sizeof(id));
    memcpy(shelf->chunks.values + shelf->chunks.count * sizeof(*chunk), chunk, sizeof(*chunk));
    shelf->chunks.count++;
    return 0;
}

void chunk_shelf__swap(struct chunk_shelf *a, struct chunk_shelf *b)
{
    struct chunk_shelf swapped = *a;
    *a = *b;
    *b = swapped;
}

void chunk_shelf__clear(struct chunk_shelf *shelf)
{
    shelf->chunks.count = 0;
    id_map__clear(&shelf->by_id);
}
