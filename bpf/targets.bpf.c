// Keeps the maps `targets` and `targets_tid` true while processes and threads come and go: children of targets become
// targets before they run, and who is gone leaves, so that his id may be used again by a stranger. An id is in a map
// from its owner's life alone: the filter need not compare start times.
#include "bpf/common/maps.bpf.h"

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

// The leader's id is the thread group's: in use until the last thread is gone.
static __always_inline int forget(struct task_struct *task)
{
    __u32 tgid = BPF_CORE_READ(task, tgid), tid = BPF_CORE_READ(task, pid);
    bool is_last = BPF_CORE_READ(task, signal, live.counter) == 0;
    if (is_last)
        bpf_map_delete_elem(&targets, &tgid);
    if (config.by_tid && tid != tgid)
        bpf_map_delete_elem(&targets_tid, &tid);
    if (config.by_tid && is_last)
        bpf_map_delete_elem(&targets_tid, &tgid);
    return 0;
}

SEC("raw_tracepoint/sched_process_exit")
int forget_exit(struct bpf_raw_tracepoint_args *ctx)
{
    return forget((struct task_struct *)ctx->args[0]);
}

// The same while events are being attached; see recorder_programs__attach().
SEC("raw_tracepoint/sched_process_exit")
int forget_exit_early(struct bpf_raw_tracepoint_args *ctx)
{
    return forget((struct task_struct *)ctx->args[0]);
}

// A thread that is not the leader and calls execve() takes the leader's id (fs/exec.c, de_thread()); its own is free.
SEC("raw_tracepoint/sched_process_exec")
int follow_exec(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    __u32 before = (__u32)ctx->args[1], tid = BPF_CORE_READ(task, pid);
    __u8 *target = before != tid ? bpf_map_lookup_elem(&targets_tid, &before) : NULL;
    if (!target)
        return 0;
    bpf_map_update_elem(&targets_tid, &tid, target, BPF_ANY);
    bpf_map_delete_elem(&targets_tid, &before);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
