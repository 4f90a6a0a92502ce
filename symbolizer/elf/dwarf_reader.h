// Bytes of DWARF, read in order and never past their end: a read that does not fit gives 0 and sets `failed`.
#ifndef HEARTH_SYMBOLIZER_ELF_DWARF_READER_H
#define HEARTH_SYMBOLIZER_ELF_DWARF_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "symbolizer/elf/elf_file.h"

struct dwarf_reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct dwarf_reader dwarf_reader__over(struct elf_data data, uint64_t offset)
{
    bool past = offset > data.length_bytes;
    return (struct dwarf_reader){data.bytes, data.bytes + (past ? data.length_bytes : offset),
                                 data.bytes + data.length_bytes, past};
}

static inline uint64_t dwarf_reader__offset(const struct dwarf_reader *reader)
{
    return (uint64_t)(reader->at - reader->start);
}

static inline size_t dwarf_reader__left(const struct dwarf_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline void dwarf_reader__fail(struct dwarf_reader *reader)
{
    reader->failed = true;
    reader->at = reader->end;
}

static inline void dwarf_reader__skip(struct dwarf_reader *reader, uint64_t bytes)
{
    if (bytes > dwarf_reader__left(reader))
        dwarf_reader__fail(reader);
    else
        reader->at += bytes;
}

// A number of 1, 2, 3, 4 or 8 bytes in the machine's (little-endian) order.
static inline uint64_t dwarf_reader__fixed(struct dwarf_reader *reader, size_t bytes)
{
    uint64_t value = 0;
    size_t left = dwarf_reader__left(reader);
    if (bytes > left || bytes > 8) {
        dwarf_reader__fail(reader);
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

static inline uint64_t dwarf_reader__u8(struct dwarf_reader *reader)
{
    if (reader->at == reader->end) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

static inline uint64_t dwarf_reader__uleb(struct dwarf_reader *reader)
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

static inline int64_t dwarf_reader__sleb(struct dwarf_reader *reader)
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

static inline const char *dwarf_reader__string(struct dwarf_reader *reader)
{
    const char *text = (const char *)reader->at;
    const uint8_t *nul = memchr(reader->at, 0, dwarf_reader__left(reader));
    if (!nul) {
        dwarf_reader__fail(reader);
        return "";
    }
    reader->at = nul + 1;
    return text;
}

// The "initial length" of a unit: 4 bytes, or 0xffffffff and 8. The reader is cut to the unit; *ret_offset_bytes is 4
// or 8. False: there is no whole unit.
static inline bool dwarf_reader__unit(struct dwarf_reader *reader, uint8_t *ret_offset_bytes)
{
    uint64_t length = dwarf_reader__fixed(reader, 4);
    *ret_offset_bytes = 4;
    if (length == 0xffffffffu) {
        length = dwarf_reader__fixed(reader, 8);
        *ret_offset_bytes = 8;
    }
    if (reader->failed || length > dwarf_reader__left(reader) || length == 0)
        return false;
    reader->end = reader->at + length;
    return true;
}

#endif
