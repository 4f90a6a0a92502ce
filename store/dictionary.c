#include "store/dictionary.h"

#include "store/base/grow.h"
#include "store/base/hash.h"

static uint64_t hash_key(const uint8_t *key, uint32_t key_bytes)
{
    uint64_t hash = key_bytes, word;
    for (; key_bytes >= 8; key += 8, key_bytes -= 8) {
        memcpy(&word, key, 8);
        hash = hash__mix(hash + word);
    }
    if (key_bytes) {
        word = 0;
        memcpy(&word, key, key_bytes);
        hash = hash__mix(hash + word);
    }
    return hash;
}

static uint8_t *record_at(const struct dictionary *dictionary, uint32_t index)
{
    return dictionary->records + (size_t)index * dictionary->record_bytes;
}

static uint64_t hash_of(const void *owner, uint32_t index)
{
    const struct dictionary *dictionary = owner;
    return hash_key(record_at(dictionary, index), dictionary->key_bytes);
}

static int reserve(struct dictionary *dictionary)
{
    if (dictionary->count < dictionary->capacity)
        return 0;
    if (dictionary->count >= UINT32_MAX / 2)
        return -ENOMEM;
    size_t capacity = grow__capacity(dictionary->capacity, (size_t)dictionary->count + 1);
    if (RESIZE(dictionary->records, capacity * dictionary->record_bytes) != 0)
        return -ENOMEM;
    dictionary->capacity = (uint32_t)capacity;
    return 0;
}

int dictionary__intern(struct dictionary *dictionary, const void *record, uint32_t *ret_id, bool *ret_is_new)
{
    int err = slot_set__reserve(&dictionary->map, hash_of, dictionary);
    if (err)
        return err;
    uint64_t hash = hash_key(record, dictionary->key_bytes);
    uint32_t at = slot_set__first(&dictionary->map, hash);
    for (; dictionary->map.slots[at]; at = slot_set__next(&dictionary->map, at)) {
        uint32_t index = dictionary->map.slots[at] - 1;
        if (memcmp(record_at(dictionary, index), record, dictionary->key_bytes) == 0) {
            *ret_id = dictionary->base + index;
            *ret_is_new = false;
            return 0;
        }
    }
    uint32_t end = dictionary__end(dictionary);
    if (dictionary->limit && end - dictionary->written >= 2 * dictionary->limit)
        return -ENOBUFS;
    err = reserve(dictionary);
    if (err)
        return err;
    memcpy(record_at(dictionary, dictionary->count), record, dictionary->record_bytes);
    slot_set__put(&dictionary->map, hash, dictionary->count++);
    *ret_id = end;
    *ret_is_new = true;
    return 0;
}

void *dictionary__record(const struct dictionary *dictionary, uint32_t id)
{
    if (id < dictionary->base || id >= dictionary__end(dictionary))
        return NULL;
    return record_at(dictionary, id - dictionary->base);
}

bool dictionary__wrote(struct dictionary *dictionary)
{
    dictionary->written = dictionary__end(dictionary);
    if (!dictionary->limit || dictionary->count <= dictionary->limit)
        return false;
    dictionary__restart(dictionary);
    return true;
}

void dictionary__release(struct dictionary *dictionary)
{
    free(dictionary->records);
    slot_set__release(&dictionary->map);
    dictionary->records = NULL;
    dictionary->count = dictionary->capacity = 0;
}

void dictionary__restart(struct dictionary *dictionary)
{
    dictionary->base = dictionary__end(dictionary);
    dictionary__release(dictionary);
}
