// Bytes that somebody else wrote, read in order and never past their end: a read that does not fit gives 0 and sets
// `failed`. For ELF, DWARF, call frame information and packed rows alike.
#ifndef HEARTH_STORE_BASE_BYTE_READER_H
#define HEARTH_STORE_BASE_BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_reader {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *start; // NULL where nobody asks for an offset
    bool failed;
};

static inline uint64_t byte_reader__offset(const struct byte_reader *reader)
{
    return (uint64_t)(reader->at - reader->start);
}

static inline size_t byte_reader__left(const struct byte_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline void byte_reader__fail(struct byte_reader *reader)
{
    reader->failed = true;
    reader->at = reader->end;
}

static inline void byte_reader__skip(struct byte_reader *reader, uint64_t bytes)
{
    if (bytes > byte_reader__left(reader))
        byte_reader__fail(reader);
    else
        reader->at += bytes;
}

// A number of 1, 2, 3, 4 or 8 bytes in the machine's (little-endian) order.
static inline uint64_t byte_reader__fixed(struct byte_reader *reader, size_t bytes)
{
    uint64_t value = 0;
    size_t left = byte_reader__left(reader);
    if (bytes > left || bytes > 8) {
        byte_reader__fail(reader);
        return 0;
    }
    if (left >= 8 && bytes > 0) { // one load, and what is too much cut off: a copy of a length not known is a call
        memcpy(&value, reader->at, 8);
        value &= ~0ull >> (64 - 8 * bytes);
    } else {
        memcpy(&value, reader->at, bytes);
    }
    reader->at += bytes;
    return value;
}

static inline uint64_t byte_reader__u8(struct byte_reader *reader)
{
    if (reader->at == reader->end) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

// LEB128 (DWARF 5, section 7.6); bits above 64 are dropped.
static inline uint64_t byte_reader__uleb(struct byte_reader *reader)
{
    uint64_t value = 0;
    if (reader->at < reader->end && *reader->at < 0x80) // as most are
        return *reader->at++;
    for (unsigned shift = 0; reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

static inline int64_t byte_reader__sleb(struct byte_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; reader->at < reader->end;) {
        uint8_t byte = *reader->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte & 0x80)
            continue;
        if (shift < 64 && (byte & 0x40))
            value |= ~0ull << shift;
        return (int64_t)value;
    }
    reader->failed = true;
    return 0;
}

static inline const char *byte_reader__string(struct byte_reader *reader)
{
    const char *text = (const char *)reader->at;
    const uint8_t *nul = memchr(reader->at, 0, byte_reader__left(reader));
    if (!nul) {
        byte_reader__fail(reader);
        return "";
    }
    reader->at = nul + 1;
    return text;
}

// A signed number as LEB128 of (v << 1) ^ (v >> 63).
static inline int64_t byte_reader__zigzag(struct byte_reader *reader)
{
    uint64_t value = byte_reader__uleb(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
