// The bucket of a value, for the kernel side: what bucket__of() of store/base/bucket.h says, held equal by a test.
#ifndef HEARTH_BPF_WIRE_HIST_BUCKET_H
#define HEARTH_BPF_WIRE_HIST_BUCKET_H

#include "bpf/wire/wire.h"

// The exponent is found by halves: BPF has no instruction that counts zeros.
static inline __u32 hist_bucket__of(__u64 value)
{
    __u32 exponent = 0;
    __u64 rest = value;
    if (value < 16)
        return (__u32)value;
    if (rest >> 32) {
        exponent += 32;
        rest >>= 32;
    }
    if (rest >> 16) {
        exponent += 16;
        rest >>= 16;
    }
    if (rest >> 8) {
        exponent += 8;
        rest >>= 8;
    }
    if (rest >> 4) {
        exponent += 4;
        rest >>= 4;
    }
    if (rest >> 2) {
        exponent += 2;
        rest >>= 2;
    }
    exponent += (__u32)(rest >> 1);
    return (exponent - 2) * 8 + (__u32)((value >> (exponent - 3)) & 7);
}

#endif
