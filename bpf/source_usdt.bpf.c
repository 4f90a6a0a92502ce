// A USDT probe is passed: each hit one sample.
#define SCRATCH_SLOTS 4 // a uprobe's program may be preempted, and another thread of the CPU may hit the probe then
#include "bpf/sample.bpf.h"

#include <bpf/usdt.bpf.h>

const volatile __u16 own_event;

SEC("usdt")
int sample_usdt(struct pt_regs *ctx)
{
    struct sample sample = {.event = own_event, .value = 1};
    return sample_emit(ctx, &sample);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
