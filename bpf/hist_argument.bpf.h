// Arguments as values: of a function by the calling convention (bpf/arch/machine.bpf.h), cut to the size that was asked
// for.
#ifndef HEARTH_BPF_HIST_ARGUMENT_H
#define HEARTH_BPF_HIST_ARGUMENT_H

#include "bpf/arch/machine.bpf.h"
#include "bpf/event.bpf.h"

static __always_inline bool hist__by_argument(struct pt_regs *ctx, __u64 *ret_argument)
{
    *ret_argument = 0;
    if (own_hist.by != WIRE_HIST_BY_ARGUMENT)
        return true;
    if (!argument__of(ctx, own_hist.by_argument, ret_argument))
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
