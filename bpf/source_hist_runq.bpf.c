// How long threads wait for a CPU: from being woken, or preempted, to running.
//
// When a thread comes onto the CPU, the current task is another one. So its wait is kept in its task storage until it
// leaves the CPU again, when all can be asked about it that the filter and --by want to know.
#define KERNEL_FRAMES_SKIPPED 2 // the program and bpf_trace_runN
#include "bpf/wire.h"

const volatile __u16 own_event;

#include "bpf/hist.bpf.h"

struct wait {
    __u64 queued_ns; // 0: not queued
    __u64 waited_ns; // plus 1; 0: none to be counted
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct wait);
} own_waits SEC(".maps");

static __always_inline void queue(struct task_struct *task)
{
    struct wait *wait = bpf_task_storage_get(&own_waits, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (wait)
        wait->queued_ns = bpf_ktime_get_ns();
    else
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(hist_wakeup, struct task_struct *task)
{
    queue(task);
    return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(hist_wakeup_new, struct task_struct *task)
{
    queue(task);
    return 0;
}

static __always_inline void leave(void *ctx, struct task_struct *task, bool is_runnable)
{
    struct wait *wait = bpf_task_storage_get(&own_waits, task, NULL, is_runnable ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
    if (!wait) {
        if (is_runnable)
            hist__lose(WIRE_LOSS_NOT_FOLLOWED);
        return;
    }
    __u64 waited_ns = wait->waited_ns;
    wait->waited_ns = 0;
    wait->queued_ns = is_runnable ? bpf_ktime_get_ns() : 0;
    if (!waited_ns || !filter__passes())
        return;
    struct wire_hist_key key;
    hist__key(&key, 0);
    hist__add(ctx, &key, waited_ns - 1);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(hist_runq_switch, bool preempted, struct task_struct *prev, struct task_struct *next)
{
    if (prev->pid)
        leave(ctx, prev, preempted || !prev->__state);
    struct wait *wait = next->pid ? bpf_task_storage_get(&own_waits, next, NULL, 0) : NULL;
    if (wait && wait->queued_ns) {
        wait->waited_ns = bpf_ktime_get_ns() - wait->queued_ns + 1;
        wait->queued_ns = 0;
    }
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
