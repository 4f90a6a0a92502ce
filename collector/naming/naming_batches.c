#include "collector/naming/naming_batches.h"

#include <errno.h>
#include <stdlib.h>

#include "store/base/grow.h"
#include "store/base/hash.h"

static int grow_batches(struct batches *batches)
{
    return GROW(batches->rows, batches->capacity, batches->count + 1);
}

static uint64_t key_of(const struct batch *batch)
{
    return hash__pair(batch->kind, batch->binary ? batch->binary->number : 0);
}

static int find_batch(struct batches *batches, const struct batch *like, struct batch **ret_batch)
{
    uint64_t key = key_of(like);
    uint32_t index;
    if (!id_map__get(&batches->by_key, key, &index)) {
        int err = grow_batches(batches);
        if (!err)
            err = id_map__put(&batches->by_key, key, (uint32_t)batches->count);
        if (err)
            return err;
        index = (uint32_t)batches->count++;
        batches->rows[index] = (struct batch){.kind = like->kind, .binary = like->binary, .guests = like->guests};
    }
    *ret_batch = &batches->rows[index];
    return 0;
}

static int add_address(struct batch *batch, uint64_t address, uint64_t tag)
{
    size_t capacity = grow__capacity(batch->capacity, batch->count + 1);
    if (capacity > batch->capacity && (RESIZE(batch->addresses, capacity) != 0 || RESIZE(batch->tags, capacity) != 0))
        return -ENOMEM;
    batch->capacity = capacity;
    batch->addresses[batch->count] = address;
    batch->tags[batch->count++] = tag;
    return 0;
}

void batches__release(struct batches *batches)
{
    for (size_t i = 0; i < batches->count; i++) {
        free(batches->rows[i].addresses);
        free(batches->rows[i].tags);
    }
    free(batches->rows);
    id_map__release(&batches->by_key);
    *batches = (struct batches){0};
}

int batches__add(struct batches *batches, const struct batch *like, uint64_t address, uint64_t tag)
{
    struct batch *batch;
    int err = find_batch(batches, like, &batch);
    return err ? err : add_address(batch, address, tag);
}

int batches__join(struct batches *batches, const struct batch *batch)
{
    int err = 0;
    for (size_t i = 0; i < batch->count && !err; i++)
        err = batches__add(batches, batch, batch->addresses[i], batch->tags[i]);
    return err;
}
