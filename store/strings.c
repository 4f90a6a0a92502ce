#include "store/strings.h"

#include "store/base/hash.h"

#define CHUNK_BYTES (32u << 10) // a file of names is some hundred KiB; longer texts get a chunk of their own

struct strings_chunk {
    struct strings_chunk *next;
    size_t used, size;
    char bytes[];
};

static uint32_t base_of(const struct strings *strings)
{
    return strings->base ? strings->base : 1;
}

static uint64_t hash_of(const void *owner, uint32_t index)
{
    const char *text = ((const struct strings *)owner)->texts[index];
    return hash__bytes(text, strlen(text));
}

static int keep(struct strings *strings, const char *text, size_t length, const char **ret_kept)
{
    struct strings_chunk *chunk = strings->chunk;
    if (!chunk || chunk->size - chunk->used < length + 1) {
        size_t size = length + 1 > CHUNK_BYTES ? length + 1 : CHUNK_BYTES;
        chunk = malloc(sizeof(*chunk) + size);
        if (!chunk)
            return -ENOMEM;
        *chunk = (struct strings_chunk){.next = strings->chunk, .size = size};
        strings->chunk = chunk;
    }
    char *kept = chunk->bytes + chunk->used;
    memcpy(kept, text, length);
    kept[length] = '\0';
    chunk->used += length + 1;
    *ret_kept = kept;
    return 0;
}

static int reserve(struct strings *strings)
{
    if (strings->count < strings->capacity)
        return 0;
    uint32_t capacity = strings->capacity ? strings->capacity * 2 : 64;
    const char **texts = realloc(strings->texts, capacity * sizeof(*texts));
    if (!texts)
        return -ENOMEM;
    strings->texts = texts;
    strings->capacity = capacity;
    return 0;
}

int strings__intern(struct strings *strings, const char *text, size_t length, uint32_t *ret_id)
{
    length = strnlen(text, length);
    int err = id_map__reserve(&strings->map, hash_of, strings);
    if (err)
        return err;
    uint64_t hash = hash__bytes(text, length);
    uint32_t at = id_map__first(&strings->map, hash);
    for (; strings->map.slots[at]; at = id_map__next(&strings->map, at)) {
        uint32_t index = strings->map.slots[at] - 1;
        const char *known = strings->texts[index];
        if (strncmp(known, text, length) == 0 && !known[length]) {
            *ret_id = base_of(strings) + index;
            return 0;
        }
    }
    const char *kept;
    err = reserve(strings);
    if (!err)
        err = keep(strings, text, length, &kept);
    if (err)
        return err;
    strings->texts[strings->count] = kept;
    strings->bytes += length + 1;
    id_map__put(&strings->map, hash, strings->count);
    *ret_id = base_of(strings) + strings->count++;
    return 0;
}

const char *strings__text(const struct strings *strings, uint32_t id)
{
    uint32_t base = base_of(strings);
    return id >= base && id - base < strings->count ? strings->texts[id - base] : NULL;
}

uint32_t strings__end(const struct strings *strings)
{
    return base_of(strings) + strings->count;
}

void strings__release(struct strings *strings)
{
    while (strings->chunk) {
        struct strings_chunk *next = strings->chunk->next;
        free(strings->chunk);
        strings->chunk = next;
    }
    free(strings->texts);
    id_map__release(&strings->map);
    *strings = (struct strings){0};
}

void strings__restart(struct strings *strings)
{
    uint32_t end = strings__end(strings);
    strings__release(strings);
    strings->base = end;
}
