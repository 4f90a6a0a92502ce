// How long system calls take: one of them, or each in a histogram of its own.
#define KERNEL_FRAMES_SKIPPED 2 // the program and bpf_trace_runN
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

#include "bpf/arch/machine.bpf.h"
#include "bpf/event.bpf.h"

struct call {
    __u64 has_passed; // see hist__of_thread()
    __u64 start_ns;   // 0: none
    __u64 number;
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct call);
} own_calls SEC(".maps");

SEC("tp_btf/sys_enter")
int BPF_PROG(hist_sys_enter, struct pt_regs *regs, long number)
{
    if (!own_hist.all_groups && (__u32)number != own_hist.group)
        return 0;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
    if (system_call__is_compat(task)) // its numbers mean other calls
        return 0;
    struct call *call = hist__of_thread(&own_calls);
    if (!call)
        return 0;
    call->number = (__u64)number;
    call->start_ns = bpf_ktime_get_ns();
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(hist_sys_exit)
{
    struct call *call = bpf_task_storage_get(&own_calls, bpf_get_current_task_btf(), NULL, 0);
    __u64 start_ns = call ? call->start_ns : 0;
    if (!start_ns)
        return 0;
    __u64 now_ns = bpf_ktime_get_ns();
    struct wire_hist_key key;
    call->start_ns = 0;
    hist__key(&key, 0);
    key.group = (__u32)call->number;
    event__emit(ctx, &key, now_ns - start_ns);
    return 0;
}

// exit and exit_group never return: that is no loss.
static __always_inline void leave_open(struct task_struct *task)
{
    struct call *call = bpf_task_storage_get(&own_calls, task, NULL, 0);
    struct wire_hist_key key;
    if (!call || !call->start_ns)
        return;
    call->start_ns = 0;
    if (system_call__never_returns(call->number))
        return;
    hist__key_of(task, &key);
    key.group = (__u32)call->number;
    hist__unmatched(&key, 1);
}

HIST_LEFT_OPEN(leave_open)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
