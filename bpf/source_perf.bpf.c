// On-CPU samples: a perf event per CPU (cycles, or cpu-clock where the PMU has none) fires, and the running thread is
// counted with its stacks. Serves every perf event, software or hardware: the value is the period it fired with, or 1
// where samples are what is counted.
#include "bpf/sample.bpf.h"

const volatile __u16 own_event;
const volatile __u8 own_counts_samples, own_is_periodic;

SEC("perf_event")
int sample_perf_event(struct bpf_perf_event_data *ctx)
{
    struct sample sample = {
        .event = own_event, .value = own_counts_samples ? 1 : ctx->sample_period, .is_periodic = own_is_periodic};
    return sample_emit(ctx, &sample);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
