// Arguments as values: of a function by the calling convention, cut to the size that was asked for.
#ifndef HEARTH_BPF_HIST_ARGUMENT_H
#define HEARTH_BPF_HIST_ARGUMENT_H

#include "bpf/hist.bpf.h"

// Each its own instruction, with a constant offset: the verifier wants that of a context, and clang would rather load
// from a chosen offset.
#define ARGUMENT(number, from)                                                                                         \
    case number:                                                                                                       \
        value = (from);                                                                                                \
        asm volatile("/* argument " #number " */" : "+r"(value));                                                      \
        break

static __always_inline __u64 hist__argument(struct pt_regs *ctx, __u32 number)
{
    __u64 value = 0;
    switch (number) {
        ARGUMENT(0, PT_REGS_PARM1(ctx));
        ARGUMENT(1, PT_REGS_PARM2(ctx));
        ARGUMENT(2, PT_REGS_PARM3(ctx));
        ARGUMENT(3, PT_REGS_PARM4(ctx));
        ARGUMENT(4, PT_REGS_PARM5(ctx));
        ARGUMENT(5, ctx->r9); // libbpf 1.1 has names for five
        ARGUMENT(WIRE_HIST_RETURNED, PT_REGS_RC(ctx));
    }
    return value;
}

static __always_inline __u64 hist__by_argument(struct pt_regs *ctx)
{
    return hist__argument(ctx, own_hist.by_argument);
}

static __always_inline void hist__add_value(void *ctx, struct wire_hist_key *key, __u64 value, __u64 returned_from)
{
    value = hist__cut(value, own_hist.bytes, own_hist.is_signed);
    if (own_hist.is_signed && (__s64)value < 0)
        hist__unmatched(key, 1);
    else
        hist__add_returned(ctx, key, value, returned_from);
}

#endif
