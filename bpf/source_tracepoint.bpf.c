// A tracepoint of the kernel, by its id in tracefs: each hit one sample.
#include "bpf/sample.bpf.h"

const volatile __u16 own_event;

SEC("tracepoint")
int sample_tracepoint(void *ctx)
{
    struct sample sample = {.event = own_event, .value = 1};
    return sample_emit(ctx, &sample);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
