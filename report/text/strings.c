#include "report/text/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"

#define BLOCK_BYTES 65536u

struct block {
    struct block *next;
    size_t used_bytes, size_bytes;
    char text[];
};

struct strings {
    struct block *blocks;
    const char **texts; // by id
    uint32_t *slots;    // id + 1, by hash; 0 is free
    uint32_t count, capacity, slot_count;
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
    free(strings->slots);
    free(strings);
}

static uint32_t hash_of(const char *text)
{
    return (uint32_t)hash__bytes(text, strlen(text));
}

static int grow(struct strings *strings)
{
    uint32_t capacity = strings->capacity ? strings->capacity * 2 : 256, slot_count = capacity * 2;
    const char **texts = reallocarray(strings->texts, capacity, sizeof(*texts));
    if (!texts)
        return -ENOMEM;
    strings->texts = texts;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (uint32_t id = 0; id < strings->count; id++) {
        uint32_t slot = hash_of(texts[id]) & (slot_count - 1);
        while (slots[slot])
            slot = (slot + 1) & (slot_count - 1);
        slots[slot] = id + 1;
    }
    free(strings->slots);
    strings->slots = slots;
    strings->slot_count = slot_count;
    strings->capacity = capacity;
    return 0;
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
    if (strings->count == strings->capacity && grow(strings))
        return -ENOMEM;
    uint32_t mask = strings->slot_count - 1, slot = hash_of(text) & mask;
    for (; strings->slots[slot]; slot = (slot + 1) & mask) {
        uint32_t id = strings->slots[slot] - 1;
        if (strcmp(strings->texts[id], text) == 0) {
            *ret_id = id;
            return 0;
        }
    }
    int err = copy(strings, text, &strings->texts[strings->count]);
    if (err)
        return err;
    strings->slots[slot] = ++strings->count;
    *ret_id = strings->count - 1;
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
