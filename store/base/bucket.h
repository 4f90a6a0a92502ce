// The buckets of every histogram of hearth: log-linear, each power of two in 8, so that a bucket is at most 12.5 %
// of its low end wide (exact below 16). Counted in the kernel, kept in the store, shown by reports.
//
//   value   0 .. 15        16 17 | 18 19 | ... 30 31 | 32..35 | 36..39 ...
//   bucket  0 .. 15        16    | 17    | ... 23    | 24     | 25     ...
//
// Also compiled for BPF (bpf/ includes nobody, so wire.h says the same to the kernel side; a test holds them equal).
#ifndef HEARTH_STORE_BASE_BUCKET_H
#define HEARTH_STORE_BASE_BUCKET_H

#include <stdint.h>

#define BUCKET_COUNT 496u // up to 2^64 - 1

static inline uint32_t bucket__of(uint64_t value)
{
    if (value < 16)
        return (uint32_t)value;
    uint32_t exponent = 63 - (uint32_t)__builtin_clzll(value); // 4 .. 63
    return (exponent - 2) * 8 + (uint32_t)((value >> (exponent - 3)) & 7);
}

// The least value of a bucket; bucket__low(b + 1) is the end of it, exclusive (0 for the last one: 2^64).
static inline uint64_t bucket__low(uint32_t bucket)
{
    if (bucket < 16)
        return bucket;
    uint32_t exponent = bucket / 8 + 2;
    return exponent > 63 ? 0 : (uint64_t)(8 + bucket % 8) << (exponent - 3);
}

#endif
