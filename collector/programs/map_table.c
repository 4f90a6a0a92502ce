#include "collector/programs/map_table.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "store/base/grow.h"

enum { BATCH = 2048 }; // more than any one bucket of the kernel's hash table holds, which is all a batch must fit

void map_table__release(struct map_table *table)
{
    free(table->keys);
    free(table->values);
}

int map_table__reserve(struct map_table *table, size_t count)
{
    size_t capacity = grow__capacity(table->capacity, count > BATCH ? count : BATCH);
    if (capacity > table->capacity && (RESIZE(table->keys, capacity * table->key_bytes) != 0 ||
                                       RESIZE(table->values, capacity * table->value_bytes) != 0))
        return -ENOMEM;
    table->capacity = capacity;
    return 0;
}

int map_table__take(struct map_table *table, int map_fd)
{
    uint32_t position = 0, *from = NULL;
    while (true) {
        int err = map_table__reserve(table, table->count + BATCH);
        if (err)
            return err;
        uint32_t count = BATCH;
        errno = 0;
        err = bpf_map_lookup_and_delete_batch(map_fd, from, &position, table->keys + table->count * table->key_bytes,
                                              table->values + table->count * table->value_bytes, &count, NULL);
        if (err && errno != ENOENT)
            return -errno;
        table->count += count;
        if (err) // ENOENT: that was the last one
            return 0;
        from = &position;
    }
}

int map_table__read(struct map_table *table, int map_fd)
{
    uint32_t position = 0, *from = NULL;
    for (table->count = 0;; from = &position) {
        uint32_t count = BATCH;
        int err = map_table__reserve(table, table->count + BATCH);
        if (err)
            return err;
        errno = 0;
        err = bpf_map_lookup_batch(map_fd, from, &position, table->keys + table->count * table->key_bytes,
                                   table->values + table->count * table->value_bytes, &count, NULL);
        if (err && errno != ENOENT)
            return -errno;
        table->count += count;
        if (err)
            return 0;
    }
}
