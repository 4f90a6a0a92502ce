// Who a thread is, for the filter and for keys. `is_current`, a constant, says that `task` is the current task: there
// are helpers for that one alone, which cost less than to read the same from outside.
#ifndef HEARTH_BPF_WHO_H
#define HEARTH_BPF_WHO_H

#include "bpf/common/maps.bpf.h"

#include <bpf/bpf_core_read.h>

static __always_inline struct task_struct *who__current(void)
{
    return (struct task_struct *)bpf_get_current_task_btf();
}

// Zero behind the NUL, as a map's key must be.
static __always_inline void who__comm(struct task_struct *task, bool is_current, char ret_comm[WIRE_COMM_BYTES])
{
    if (is_current) {
        bpf_get_current_comm(ret_comm, WIRE_COMM_BYTES);
        return;
    }
    __builtin_memset(ret_comm, 0, WIRE_COMM_BYTES);
    bpf_probe_read_kernel_str(ret_comm, WIRE_COMM_BYTES, task->comm);
}

static __always_inline __u64 who__cgroup(struct task_struct *task, bool is_current)
{
    return is_current ? bpf_get_current_cgroup_id() : BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline __u32 who__uid(struct task_struct *task, bool is_current)
{
    return is_current ? (__u32)bpf_get_current_uid_gid() : BPF_CORE_READ(task, cred, uid.val);
}

// The part of a key that tells whose a count is.
static __always_inline void who__fill(struct task_struct *task, bool is_current, struct wire_count_key *ret_key)
{
    ret_key->start_boot_ns = task->group_leader->start_boottime;
    ret_key->cgroup = who__cgroup(task, is_current);
    ret_key->tgid = task->tgid;
    ret_key->tid = config.keep_tid ? task->pid : 0;
    ret_key->uid = who__uid(task, is_current);
    who__comm(task, is_current, ret_key->comm);
}

#endif
