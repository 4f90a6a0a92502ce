// Mixing of 64-bit words for hash tables and for the ids of stacks: the finalizer of splitmix64 (Steele, Lea and
// Flood 2014), a bijection in which every input bit reaches every output bit.
#ifndef HEARTH_STORE_BASE_HASH_H
#define HEARTH_STORE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash__mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t hash__pair(uint64_t a, uint64_t b)
{
    return hash__mix(hash__mix(a) + 0x9e3779b97f4a7c15u + b);
}

// FNV-1a, for short strings.
static inline uint64_t hash__bytes(const void *bytes, size_t length_bytes)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length_bytes; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return hash__mix(hash);
}

// Eight bytes at a time, for long strings in tables of this process: not for what is kept.
static inline uint64_t hash__text(const char *text, size_t length_bytes)
{
    uint64_t hash = length_bytes * 0x9e3779b97f4a7c15u, rest = 0;
    for (; length_bytes >= 8; text += 8, length_bytes -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    memcpy(&rest, text, length_bytes);
    return hash__mix(hash ^ rest);
}

#endif
