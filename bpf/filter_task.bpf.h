// The filter about a task that is not the current one, and the key it would have: for iterators.
#ifndef HEARTH_BPF_FILTER_TASK_H
#define HEARTH_BPF_FILTER_TASK_H

#include "bpf/filter.bpf.h"

#include <bpf/bpf_core_read.h>

#define CGROUP_DEPTH_MAX 32 // as deep as is looked

static __always_inline bool filter_task__is_below(struct task_struct *task, __u64 id)
{
    struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
    for (int i = 0; i < CGROUP_DEPTH_MAX && cgroup; i++) {
        if (BPF_CORE_READ(cgroup, kn, id) == id)
            return true;
        cgroup = (struct cgroup *)BPF_CORE_READ(cgroup, self.parent); // `self` is its first member
    }
    return false;
}

static __always_inline bool filter_task__is_hearth(struct task_struct *task)
{
    __u32 tgid = BPF_CORE_READ(task, tgid);
    __u32 parent = BPF_CORE_READ(task, group_leader, real_parent, tgid);
    __u32 before = BPF_CORE_READ(task, group_leader, real_parent, real_parent, tgid);
    if (tgid == config.self_tgid)
        return true;
    if (parent == config.self_tgid)
        return !bpf_map_lookup_elem(&targets, &tgid);
    return before == config.self_tgid && !bpf_map_lookup_elem(&targets, &parent);
}

// As filter__passes(), but for -C: a task that waits is on no CPU.
static __always_inline bool filter_task__passes(struct task_struct *task)
{
    __u32 tgid = BPF_CORE_READ(task, tgid), tid = BPF_CORE_READ(task, pid);
    if (config.by_tgid && !bpf_map_lookup_elem(&targets, &tgid))
        return false;
    if (config.by_tid && !bpf_map_lookup_elem(&targets_tid, &tid))
        return false;
    if (tid == 0 || (config.self_tgid && filter_task__is_hearth(task)))
        return false;
    if (config.uid != WIRE_UID_ANY && BPF_CORE_READ(task, cred, uid.val) != config.uid)
        return false;
    if (config.cgroup && !filter_task__is_below(task, config.cgroup))
        return false;
    if (!config.by_comm)
        return true;
    char comm[WIRE_COMM_BYTES] = {0};
    bpf_probe_read_kernel_str(comm, sizeof(comm), task->comm);
    return wire_name_pattern__matches(&config.comm, comm);
}

static __always_inline void filter_task__key(struct task_struct *task, struct wire_count_key *key)
{
    key->start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
    key->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
    key->tgid = BPF_CORE_READ(task, tgid);
    key->tid = config.keep_tid ? BPF_CORE_READ(task, pid) : 0;
    key->uid = BPF_CORE_READ(task, cred, uid.val);
    __builtin_memset(key->comm, 0, sizeof(key->comm));
    bpf_probe_read_kernel_str(key->comm, sizeof(key->comm), task->comm);
}

#endif
