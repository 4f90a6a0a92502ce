// --comm in the kernel: name_pattern__matches() of store/base/name_pattern.h over the same compiled pattern, without a
// branch a byte. A test holds both equal.
#ifndef HEARTH_BPF_WIRE_NAME_PATTERN_H
#define HEARTH_BPF_WIRE_NAME_PATTERN_H

#include "bpf/wire/wire.h"

// `name` is zero behind its end.
static inline int wire_name_pattern__matches(const volatile struct wire_name_pattern *pattern, const char *name)
{
    __u32 states = 1;
#pragma GCC unroll 15 // clang knows it too
    for (int i = 0; i < WIRE_COMM_BYTES - 1; i++) {
        __u32 step = pattern->steps[(__u8)name[i]];
        states = (states & step & 0xffff) << 1 | (states & step >> 16);
    }
    return (states & pattern->end) != 0;
}

#endif
