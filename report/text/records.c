#include "report/text/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/hash.h"

void records__release(struct records *records)
{
    buf__release(&records->bytes);
    free(records->ends);
    slot_set__release(&records->by_bytes);
}

const void *records__of(const struct records *records, uint32_t id, size_t *ret_length_bytes)
{
    size_t start = id ? records->ends[id - 1] : 0;
    *ret_length_bytes = records->ends[id] - start;
    return records->bytes.data ? (const void *)(records->bytes.data + start) : "";
}

static uint64_t hash_of(const void *owner, uint32_t id)
{
    size_t length_bytes;
    const void *bytes = records__of(owner, id, &length_bytes);
    return hash__bytes(bytes, length_bytes);
}

int records__keep(struct records *records, const void *bytes, size_t length_bytes, uint32_t *ret_id)
{
    struct slot_set *set = &records->by_bytes;
    uint64_t hash = hash__bytes(bytes, length_bytes);
    if (slot_set__reserve(set, hash_of, records) != 0 ||
        GROW(records->ends, records->capacity, (size_t)records->count + 1) != 0)
        return -ENOMEM;
    for (uint32_t at = slot_set__first(set, hash); set->slots[at]; at = slot_set__next(set, at)) {
        uint32_t id = set->slots[at] - 1;
        size_t kept_bytes;
        const void *kept = records__of(records, id, &kept_bytes);
        if (kept_bytes == length_bytes && (!length_bytes || memcmp(kept, bytes, length_bytes) == 0)) {
            *ret_id = id;
            return 0;
        }
    }
    buf__append(&records->bytes, bytes, length_bytes);
    if (records->bytes.failed)
        return -ENOMEM;
    records->ends[records->count] = records->bytes.length_bytes;
    *ret_id = records->count++;
    slot_set__put(set, hash, *ret_id);
    return 0;
}
