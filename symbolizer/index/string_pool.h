// Strings kept once, one after the other with their NULs, and named by their offset: the string table of an index.
// Offset 0 is "".
#ifndef HEARTH_SYMBOLIZER_INDEX_STRING_POOL_H
#define HEARTH_SYMBOLIZER_INDEX_STRING_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"

struct string_pool {
    struct buf bytes;
    struct string_slot { // by hash
        uint32_t offset; // 0: free
        uint32_t hash;
    } * slots;
    size_t slot_count;
    size_t used;
};

// Returns the offset, 0 when there is no room (the pool is then marked as failed; checked once, at the end).
uint32_t string_pool__add(struct string_pool *pool, const char *text, size_t length);
// The same for a string that need not be looked for: it is known to be new, or so nearly always.
uint32_t string_pool__append(struct string_pool *pool, const char *text, size_t length);
void string_pool__release(struct string_pool *pool);

#endif
