// A program's or the kernel's own code passes a place: uprobe, uretprobe and kprobe, each hit one sample.
#define UNWIND_AT_UPROBE 1
#define SCRATCH_SLOTS    4 // a uprobe's program may be preempted, and another thread of the CPU may hit the probe then
#include "bpf/sample.bpf.h"

const volatile __u16 own_event;

SEC("kprobe")
int sample_probe(struct pt_regs *ctx)
{
    struct sample sample = {.event = own_event, .value = 1};
    return sample_emit(ctx, &sample);
}

// The function itself is the leaf, on top of the caller that it has returned to.
SEC("kprobe")
int sample_return(struct pt_regs *ctx)
{
    struct sample sample = {.event = own_event, .value = 1, .returned_from = uprobe__returned_from(ctx)};
    return sample_emit(ctx, &sample);
}

// For measuring the cost of a probe without a program: see collector/probes/trap.h.
SEC("kprobe")
int trap_nothing(struct pt_regs *ctx)
{
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
