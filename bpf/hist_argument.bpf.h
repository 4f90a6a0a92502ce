// Arguments as values: of a function by the calling convention (System V ABI for x86-64, 3.2.3), cut to the size that
// was asked for. The first six are in registers, the others on the stack, above the return address.
#ifndef HEARTH_BPF_HIST_ARGUMENT_H
#define HEARTH_BPF_HIST_ARGUMENT_H

#include "bpf/event.bpf.h"

// Each its own instruction, with a constant offset: the verifier wants that of a context, and clang would rather load
// from a chosen offset.
#define ARGUMENT(number, from)                                                                                         \
    case number:                                                                                                       \
        value = (from);                                                                                                \
        asm volatile("/* argument " #number " */" : "+r"(value));                                                      \
        break

#define ARGUMENTS_IN_REGISTERS 6

static __always_inline bool argument__on_stack(struct pt_regs *ctx, __u32 number, __u64 *ret_value)
{
    __u64 place = PT_REGS_SP(ctx) + sizeof(*ret_value) * (number - ARGUMENTS_IN_REGISTERS + 1);
    return bpf_probe_read_user(ret_value, sizeof(*ret_value), (void *)place) == 0;
}

// At a function's entry, or of what it returns, at its return. False: it cannot be read.
static __always_inline bool hist__argument(struct pt_regs *ctx, __u32 number, __u64 *ret_value)
{
    __u64 value = 0;
    if (number >= ARGUMENTS_IN_REGISTERS && number != WIRE_HIST_RETURNED)
        return argument__on_stack(ctx, number, ret_value);
    switch (number) {
        ARGUMENT(0, PT_REGS_PARM1(ctx));
        ARGUMENT(1, PT_REGS_PARM2(ctx));
        ARGUMENT(2, PT_REGS_PARM3(ctx));
        ARGUMENT(3, PT_REGS_PARM4(ctx));
        ARGUMENT(4, PT_REGS_PARM5(ctx));
        ARGUMENT(5, ctx->r9); // libbpf 1.1 has names for five
        ARGUMENT(WIRE_HIST_RETURNED, PT_REGS_RC(ctx));
    }
    *ret_value = value;
    return true;
}

static __always_inline bool hist__by_argument(struct pt_regs *ctx, __u64 *ret_argument)
{
    *ret_argument = 0;
    if (own_hist.by != WIRE_HIST_BY_ARGUMENT)
        return true;
    if (!hist__argument(ctx, own_hist.by_argument, ret_argument))
        return false;
    *ret_argument = hist__cut(*ret_argument, own_hist.by_bytes, own_hist.by_is_signed);
    return true;
}

// A value as it was cut to its size.
static __always_inline void hist__add_cut(void *ctx, struct wire_hist_key *key, __u64 value, bool is_signed,
                                          __u64 returned_from)
{
    bool is_below_zero = is_signed && (__s64)value < 0;
    event__emit_magnitude(ctx, key, is_below_zero ? -value : value, is_below_zero, returned_from);
}

#endif
