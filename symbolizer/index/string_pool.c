#include "symbolizer/index/string_pool.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/hash.h"

static bool grow(struct string_pool *pool)
{
    size_t count = pool->slot_count ? pool->slot_count * 2 : 1024;
    struct string_slot *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < pool->slot_count; i++) {
        if (!pool->slots[i].offset)
            continue;
        size_t at = pool->slots[i].hash & (count - 1);
        while (slots[at].offset)
            at = (at + 1) & (count - 1);
        slots[at] = pool->slots[i];
    }
    free(pool->slots);
    pool->slots = slots;
    pool->slot_count = count;
    return true;
}

uint32_t string_pool__append(struct string_pool *pool, const char *text, size_t length)
{
    if (pool->bytes.length_bytes == 0)
        buf__append_byte(&pool->bytes, 0);
    if (length == 0 || pool->bytes.failed)
        return 0;
    if (length > UINT32_MAX - 2 - pool->bytes.length_bytes) {
        pool->bytes.failed = true;
        return 0;
    }
    uint32_t offset = (uint32_t)pool->bytes.length_bytes;
    buf__append(&pool->bytes, text, length);
    buf__append_byte(&pool->bytes, 0);
    return pool->bytes.failed ? 0 : offset;
}

uint32_t string_pool__add(struct string_pool *pool, const char *text, size_t length)
{
    length = strnlen(text, length);
    if (length == 0 || pool->bytes.failed)
        return string_pool__append(pool, text, 0);
    if (pool->used * 2 >= pool->slot_count && !grow(pool)) {
        pool->bytes.failed = true;
        return 0;
    }
    uint32_t hash = (uint32_t)hash__text(text, length);
    size_t at = hash & (pool->slot_count - 1);
    for (; pool->slots[at].offset; at = (at + 1) & (pool->slot_count - 1)) {
        const char *known = (const char *)pool->bytes.data + pool->slots[at].offset;
        if (pool->slots[at].hash == hash && strncmp(known, text, length) == 0 && known[length] == '\0')
            return pool->slots[at].offset;
    }
    uint32_t offset = string_pool__append(pool, text, length);
    if (offset) {
        pool->slots[at] = (struct string_slot){offset, hash};
        pool->used++;
    }
    return offset;
}

void string_pool__release(struct string_pool *pool)
{
    free(pool->slots);
    buf__release(&pool->bytes);
    *pool = (struct string_pool){0};
}
