// Only the walk of the user stack, in three ways, for tests/bench/unwind_cost.c: nothing, by the kernel's own walk of
// frame pointers, and by rows.
#include "bpf/sample.bpf.h"

struct counted {
    __u64 runs, frames, whole;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 3);
    __type(key, __u32);
    __type(value, struct counted);
} own_counted SEC(".maps");

static __always_inline void count(__u32 way, __u32 frames, bool whole)
{
    struct counted *counted = bpf_map_lookup_elem(&own_counted, &way);
    if (!counted)
        return;
    counted->runs++;
    counted->frames += frames;
    counted->whole += whole;
}

SEC("perf_event")
int walk_nothing(struct bpf_perf_event_data *ctx)
{
    struct scratch *scratch = scratch__take(1);
    if (!scratch)
        return 0;
    count(0, 0, true);
    scratch__give_back(scratch);
    return 0;
}

SEC("perf_event")
int walk_pointers(struct bpf_perf_event_data *ctx)
{
    struct scratch *scratch = scratch__take(1);
    if (!scratch)
        return 0;
    long bytes = bpf_get_stack(ctx, scratch->frames, sizeof(scratch->frames), BPF_F_USER_STACK);
    count(1, bytes > 0 ? (__u32)bytes / 8 : 0, bytes > 0);
    scratch__give_back(scratch);
    return 0;
}

SEC("perf_event")
int walk_rows(struct bpf_perf_event_data *ctx)
{
    struct scratch *scratch = scratch__take(1);
    if (!scratch)
        return 0;
    scratch->walk.tables_only = false;
    __u32 frames = unwind__all(&scratch->walk, (struct unwind_frames *)scratch->frames);
    count(2, frames, scratch->walk.status == WIRE_STACK_WHOLE);
    scratch__give_back(scratch);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
