// The one filter: who is sampled at all. Every source asks it first, about the current task.
#ifndef HEARTH_BPF_FILTER_H
#define HEARTH_BPF_FILTER_H

#include "bpf/maps.bpf.h"
#include "bpf/name_pattern.h"

static __always_inline bool filter__comm_matches(void)
{
    char comm[WIRE_COMM_BYTES];
    return bpf_get_current_comm(comm, sizeof(comm)) == 0 && wire_name_pattern__matches(&config.comm, comm);
}

// hearth, the keeper of its workers, and they, two generations down; not the command that it was asked to start, which
// is a target, nor what that starts.
static __always_inline bool filter__is_hearth(__u32 tgid)
{
    if (tgid == config.self_tgid)
        return true;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
    struct task_struct *parent = task->group_leader->real_parent;
    __u32 parent_tgid = parent->tgid;
    if (parent_tgid == config.self_tgid)
        return !bpf_map_lookup_elem(&targets, &tgid);
    return (__u32)parent->real_parent->tgid == config.self_tgid && !bpf_map_lookup_elem(&targets, &parent_tgid);
}

static __always_inline bool filter__cpu_passes(void)
{
    __u32 cpu = bpf_get_smp_processor_id();
    if (!config.by_cpu)
        return true;
    return cpu < WIRE_CPU_WORDS * 64 && config.cpus[(cpu / 64) & (WIRE_CPU_WORDS - 1)] & (1ull << (cpu % 64));
}

static __always_inline bool filter__passes(void)
{
    __u64 ids = bpf_get_current_pid_tgid();
    __u32 tgid = ids >> 32, tid = (__u32)ids;
    if (tid == 0) // the idle task
        return false;
    if (config.self_tgid && filter__is_hearth(tgid))
        return false;
    if (config.by_tgid && !bpf_map_lookup_elem(&targets, &tgid))
        return false;
    if (config.by_tid && !bpf_map_lookup_elem(&targets_tid, &tid))
        return false;
    if (!filter__cpu_passes())
        return false;
    if (config.uid != WIRE_UID_ANY && (__u32)bpf_get_current_uid_gid() != config.uid)
        return false;
    if (config.cgroup && bpf_get_current_ancestor_cgroup_id(config.cgroup_level) != config.cgroup)
        return false;
    return !config.by_comm || filter__comm_matches();
}

// Whether a thread that has passed once passes for as long as it lives.
static __always_inline bool filter__lasts(void)
{
    return !config.by_tid && !config.by_cpu && !config.by_comm && !config.cgroup && config.uid == WIRE_UID_ANY;
}

#endif
