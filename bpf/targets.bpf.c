// Keeps the map `targets` true while processes come and go: children of targets become targets before they run, and
// a thread group that is gone leaves, so that its id may be used again by a stranger.
#include "bpf/maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

SEC("raw_tracepoint/sched_process_fork")
int follow_fork(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *parent = (struct task_struct *)ctx->args[0];
    struct task_struct *child = (struct task_struct *)ctx->args[1];
    __u32 parent_tgid = BPF_CORE_READ(parent, tgid), child_tgid = BPF_CORE_READ(child, tgid);
    __u8 *target = bpf_map_lookup_elem(&targets, &parent_tgid);
    if (config.follow_forks && target && parent_tgid != child_tgid)
        bpf_map_update_elem(&targets, &child_tgid, target, BPF_ANY);
    return 0;
}

SEC("raw_tracepoint/sched_process_exit")
int forget_exit(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    __u32 tgid = BPF_CORE_READ(task, tgid);
    if (BPF_CORE_READ(task, signal, live.counter) == 0)
        bpf_map_delete_elem(&targets, &tgid);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
