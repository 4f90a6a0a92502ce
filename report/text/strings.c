#include "report/text/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/slot_set.h"

#define BLOCK_BYTES 65536u

struct block {
    struct block *next;
    size_t used_bytes, size_bytes;
    char text[];
};

struct strings {
    struct block *blocks;
    const char **texts; // by id
    uint32_t count, capacity;
    struct slot_set by_text;
};

int strings__new(struct strings **ret_strings)
{
    struct strings *strings = calloc(1, sizeof(*strings));
    if (!strings)
        return -ENOMEM;
    *ret_strings = strings;
    return 0;
}

void strings__free(struct strings *strings)
{
    if (!strings)
        return;
    for (struct block *block = strings->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(strings->texts);
    slot_set__release(&strings->by_text);
    free(strings);
}

static uint64_t hash_of(const void *owner, uint32_t id)
{
    const char *text = strings__of(owner, id);
    return hash__bytes(text, strlen(text));
}

static int copy(struct strings *strings, const char *text, const char **ret_copy)
{
    size_t size_bytes = strlen(text) + 1;
    struct block *block = strings->blocks;
    if (!block || block->size_bytes - block->used_bytes < size_bytes) {
        size_t block_bytes = size_bytes > BLOCK_BYTES ? size_bytes : BLOCK_BYTES;
        block = malloc(sizeof(*block) + block_bytes);
        if (!block)
            return -ENOMEM;
        *block = (struct block){.next = strings->blocks, .size_bytes = block_bytes};
        strings->blocks = block;
    }
    *ret_copy = memcpy(block->text + block->used_bytes, text, size_bytes);
    block->used_bytes += size_bytes;
    return 0;
}

int strings__keep_id(struct strings *strings, const char *text, uint32_t *ret_id)
{
    struct slot_set *set = &strings->by_text;
    if (slot_set__reserve(set, hash_of, strings) != 0 ||
        GROW(strings->texts, strings->capacity, strings->count + 1) != 0)
        return -ENOMEM;
    uint64_t hash = hash__bytes(text, strlen(text));
    for (uint32_t at = slot_set__first(set, hash); set->slots[at]; at = slot_set__next(set, at)) {
        uint32_t id = set->slots[at] - 1;
        if (strcmp(strings->texts[id], text) == 0) {
            *ret_id = id;
            return 0;
        }
    }
    int err = copy(strings, text, &strings->texts[strings->count]);
    if (err)
        return err;
    *ret_id = strings->count++;
    slot_set__put(set, hash, *ret_id);
    return 0;
}

int strings__keep(struct strings *strings, const char *text, const char **ret_kept)
{
    uint32_t id;
    int err = strings__keep_id(strings, text, &id);
    if (err)
        return err;
    *ret_kept = strings->texts[id];
    return 0;
}

const char *strings__of(const struct strings *strings, uint32_t id)
{
    return strings->texts[id];
}

uint32_t strings__count(const struct strings *strings)
{
    return strings->count;
}
