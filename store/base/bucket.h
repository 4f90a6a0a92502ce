// The buckets of every histogram of hearth: log-linear, each power of two in 8, so that a bucket is at most 12.5 %
// of its low end wide (exact below 16). Counted in the kernel, kept in the store, shown by reports.
//
//   value   0 .. 15        16 17 | 18 19 | ... 30 31 | 32..35 | 36..39 ...
//   bucket  0 .. 15        16    | 17    | ... 23    | 24     | 25     ...
//
// A value below 0 has the bucket of its magnitude, BUCKET_COUNT further on: 497 for -1, 512 for -16 and -17. By value
// the order is bucket 984 (of -2^63), ..., 497, 0, 1, ..., 495: that is what ranks are for.
//
// Also compiled for BPF (bpf/ includes nobody, so wire.h says the same to the kernel side; a test holds them equal).
#ifndef HEARTH_STORE_BASE_BUCKET_H
#define HEARTH_STORE_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/wide.h"

#define BUCKET_COUNT  496u               // from 0 to 2^64 - 1
#define BUCKETS_TOTAL (2 * BUCKET_COUNT) // with those of values below 0

static inline uint32_t bucket__of(uint64_t value)
{
    if (value < 16)
        return (uint32_t)value;
    uint32_t exponent = 63 - (uint32_t)__builtin_clzll(value); // 4 .. 63
    return (exponent - 2) * 8 + (uint32_t)((value >> (exponent - 3)) & 7);
}

// The least value of a bucket of values from 0 on; bucket__low(b + 1) is the end of it, exclusive (0 for the last one:
// 2^64).
static inline uint64_t bucket__low(uint32_t bucket)
{
    if (bucket < 16)
        return bucket;
    uint32_t exponent = bucket / 8 + 2;
    return exponent > 63 ? 0 : (uint64_t)(8 + bucket % 8) << (exponent - 3);
}

// --- Of values of either sign

static inline bool bucket__is_below_zero(uint32_t bucket)
{
    return bucket >= BUCKET_COUNT;
}

// Past either end of 64 bits: the last bucket there.
static inline uint32_t bucket__of_wide(wide value)
{
    if (value >= 0)
        return bucket__of(wide__fits_u64(value) ? (uint64_t)value : UINT64_MAX);
    return BUCKET_COUNT + bucket__of(wide__fits_u64(-value) ? (uint64_t)-value : UINT64_MAX);
}

// The least and the greatest value of any bucket.
static inline wide bucket__least(uint32_t bucket)
{
    if (!bucket__is_below_zero(bucket))
        return bucket__low(bucket);
    return bucket + 1 == BUCKETS_TOTAL ? -(wide)UINT64_MAX : 1 - (wide)bucket__low(bucket - BUCKET_COUNT + 1);
}

static inline wide bucket__greatest(uint32_t bucket)
{
    if (bucket__is_below_zero(bucket))
        return -(wide)bucket__low(bucket - BUCKET_COUNT);
    return bucket + 1 == BUCKET_COUNT ? (wide)UINT64_MAX : (wide)bucket__low(bucket + 1) - 1;
}

// Where a bucket stands among all, by value, and back.
static inline uint32_t bucket__rank(uint32_t bucket)
{
    return bucket__is_below_zero(bucket) ? BUCKETS_TOTAL - 1 - bucket : bucket + BUCKET_COUNT;
}

static inline uint32_t bucket__at_rank(uint32_t rank)
{
    return rank < BUCKET_COUNT ? BUCKETS_TOTAL - 1 - rank : rank - BUCKET_COUNT;
}

#endif
