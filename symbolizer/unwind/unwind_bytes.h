// Reading call frame information from hostile bytes: a cursor (store/base/buf.h) that returns 0 and fails past its end.
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_BYTES_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_BYTES_H

#include <string.h>

#include "store/base/buf.h"

#define DEFINE_BYTES_READ(name, type)                                                                                  \
    static inline type bytes__##name(struct cursor *cursor)                                                            \
    {                                                                                                                  \
        type value = 0;                                                                                                \
        if ((size_t)(cursor->end - cursor->at) < sizeof(value)) {                                                      \
            cursor->failed = true;                                                                                     \
            cursor->at = cursor->end;                                                                                  \
            return 0;                                                                                                  \
        }                                                                                                              \
        memcpy(&value, cursor->at, sizeof(value));                                                                     \
        cursor->at += sizeof(value);                                                                                   \
        return value;                                                                                                  \
    }
DEFINE_BYTES_READ(u8, uint8_t)
DEFINE_BYTES_READ(u16, uint16_t)
DEFINE_BYTES_READ(u32, uint32_t)
DEFINE_BYTES_READ(u64, uint64_t)

static inline void bytes__skip(struct cursor *cursor, uint64_t bytes)
{
    if ((uint64_t)(cursor->end - cursor->at) < bytes) {
        cursor->failed = true;
        cursor->at = cursor->end;
        return;
    }
    cursor->at += bytes;
}

// LEB128 (DWARF 5, section 7.6); bits above 64 are dropped.
static inline uint64_t bytes__uleb(struct cursor *cursor)
{
    if (cursor->at < cursor->end && *cursor->at < 0x80)
        return *cursor->at++;
    uint64_t value = 0;
    for (unsigned shift = 0; cursor->at < cursor->end; shift += 7) {
        uint8_t byte = *cursor->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    cursor->failed = true;
    return 0;
}

static inline int64_t bytes__sleb(struct cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; cursor->at < cursor->end;) {
        uint8_t byte = *cursor->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (!(byte & 0x80))
            return (int64_t)(shift < 64 && byte & 0x40 ? value | ~0ull << shift : value);
    }
    cursor->failed = true;
    return 0;
}

#endif
