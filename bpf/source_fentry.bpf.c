// A function of the kernel is entered, through the trampoline that BTF allows: each hit one sample. The collector sets
// the function before it loads the program.
#define KERNEL_FRAMES_SKIPPED 2 // the program and its trampoline
#include "bpf/sample.bpf.h"

const volatile __u16 own_event;

SEC("fentry")
int sample_fentry(__u64 *ctx)
{
    struct sample sample = {.event = own_event, .value = 1};
    return sample_emit(ctx, &sample);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
