// The one filter: who is looked at at all. Every source asks it first, about the current task, or about another one
// that an iterator or a context switch shows.
#ifndef HEARTH_BPF_FILTER_H
#define HEARTH_BPF_FILTER_H

#include "bpf/common/who.bpf.h"
#include "bpf/wire/name_pattern.h"

#define CGROUP_DEPTH_MAX 32 // as deep as is looked

// hearth, the keeper of its workers, and they, two generations down; not the command that it was asked to start, which
// is a target, nor what that starts.
static __always_inline bool filter__is_hearth(struct task_struct *task)
{
    struct task_struct *parent = task->group_leader->real_parent;
    __u32 tgid = task->tgid, parent_tgid = parent->tgid;
    if (tgid == config.self_tgid)
        return true;
    if (parent_tgid == config.self_tgid)
        return !bpf_map_lookup_elem(&targets, &tgid);
    return (__u32)parent->real_parent->tgid == config.self_tgid && !bpf_map_lookup_elem(&targets, &parent_tgid);
}

// A task that waits is on no CPU: only where one runs is asked.
static __always_inline bool filter__cpu_passes(void)
{
    __u32 cpu = bpf_get_smp_processor_id();
    if (!config.by_cpu)
        return true;
    return cpu < WIRE_CPU_WORDS * 64 && config.cpus[(cpu / 64) & (WIRE_CPU_WORDS - 1)] & (1ull << (cpu % 64));
}

static __always_inline bool filter__is_below(struct task_struct *task, bool is_current)
{
    if (is_current)
        return bpf_get_current_ancestor_cgroup_id(config.cgroup_level) == config.cgroup;
    struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
    for (int i = 0; i < CGROUP_DEPTH_MAX && cgroup; i++) {
        if (BPF_CORE_READ(cgroup, kn, id) == config.cgroup)
            return true;
        cgroup = (struct cgroup *)BPF_CORE_READ(cgroup, self.parent); // `self` is its first member
    }
    return false;
}

static __always_inline bool filter__comm_matches(struct task_struct *task, bool is_current)
{
    char comm[WIRE_COMM_BYTES];
    who__comm(task, is_current, comm);
    return wire_name_pattern__matches(&config.comm, comm);
}

static __always_inline bool filter__task_passes(struct task_struct *task, bool is_current)
{
    __u32 tgid = task->tgid, tid = task->pid;
    if (tid == 0) // the idle task
        return false;
    if (config.self_tgid && filter__is_hearth(task))
        return false;
    if (config.by_tgid && !bpf_map_lookup_elem(&targets, &tgid))
        return false;
    if (config.by_tid && !bpf_map_lookup_elem(&targets_tid, &tid))
        return false;
    if (is_current && !filter__cpu_passes())
        return false;
    if (config.uid != WIRE_UID_ANY && who__uid(task, is_current) != config.uid)
        return false;
    if (config.cgroup && !filter__is_below(task, is_current))
        return false;
    return !config.by_comm || filter__comm_matches(task, is_current);
}

static __always_inline bool filter__passes(void)
{
    return filter__task_passes(who__current(), true);
}

// Whether a thread that has passed once passes for as long as it lives.
static __always_inline bool filter__lasts(void)
{
    return !config.by_tid && !config.by_cpu && !config.by_comm && !config.cgroup && config.uid == WIRE_UID_ANY;
}

#endif
