#include "store/texts.h"

#include "store/base/grow.h"
#include "store/base/hash.h"

#define CHUNK_BYTES (32u << 10) // a file of names is some hundred KiB; longer texts get a chunk of their own

struct texts_chunk {
    struct texts_chunk *next;
    size_t used, size;
    char bytes[];
};

static uint32_t base_of(const struct texts *texts)
{
    return texts->base ? texts->base : 1;
}

static uint64_t hash_of(const void *owner, uint32_t index)
{
    const char *text = ((const struct texts *)owner)->texts[index];
    return hash__bytes(text, strlen(text));
}

static int keep(struct texts *texts, const char *text, size_t length, const char **ret_kept)
{
    struct texts_chunk *chunk = texts->chunk;
    if (!chunk || chunk->size - chunk->used < length + 1) {
        size_t size = length + 1 > CHUNK_BYTES ? length + 1 : CHUNK_BYTES;
        chunk = malloc(sizeof(*chunk) + size);
        if (!chunk)
            return -ENOMEM;
        *chunk = (struct texts_chunk){.next = texts->chunk, .size = size};
        texts->chunk = chunk;
    }
    char *kept = chunk->bytes + chunk->used;
    memcpy(kept, text, length);
    kept[length] = '\0';
    chunk->used += length + 1;
    *ret_kept = kept;
    return 0;
}

static int reserve(struct texts *texts)
{
    return GROW(texts->texts, texts->capacity, texts->count + 1);
}

int texts__intern(struct texts *texts, const char *text, size_t length, uint32_t *ret_id)
{
    length = strnlen(text, length);
    int err = slot_set__reserve(&texts->map, hash_of, texts);
    if (err)
        return err;
    uint64_t hash = hash__bytes(text, length);
    uint32_t at = slot_set__first(&texts->map, hash);
    for (; texts->map.slots[at]; at = slot_set__next(&texts->map, at)) {
        uint32_t index = texts->map.slots[at] - 1;
        const char *known = texts->texts[index];
        if (strncmp(known, text, length) == 0 && !known[length]) {
            *ret_id = base_of(texts) + index;
            return 0;
        }
    }
    const char *kept;
    err = reserve(texts);
    if (!err)
        err = keep(texts, text, length, &kept);
    if (err)
        return err;
    texts->texts[texts->count] = kept;
    texts->bytes += length + 1;
    slot_set__put(&texts->map, hash, texts->count);
    *ret_id = base_of(texts) + texts->count++;
    return 0;
}

const char *texts__text(const struct texts *texts, uint32_t id)
{
    uint32_t base = base_of(texts);
    return id >= base && id - base < texts->count ? texts->texts[id - base] : NULL;
}

uint32_t texts__end(const struct texts *texts)
{
    return base_of(texts) + texts->count;
}

void texts__release(struct texts *texts)
{
    while (texts->chunk) {
        struct texts_chunk *next = texts->chunk->next;
        free(texts->chunk);
        texts->chunk = next;
    }
    free(texts->texts);
    slot_set__release(&texts->map);
    *texts = (struct texts){0};
}

void texts__restart(struct texts *texts)
{
    uint32_t end = texts__end(texts);
    texts__release(texts);
    texts->base = end;
}
