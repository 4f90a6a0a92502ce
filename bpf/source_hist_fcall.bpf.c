// How long a function of the kernel takes, from its entry to its return, per thread; what it attaches to is set before
// it is loaded.
#define KERNEL_FRAMES_SKIPPED 2 // the program and its trampoline
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

#include "bpf/event.bpf.h"

#define CALLS_MAX 16 // of one function inside itself: the kernel's stack has 16 KiB

struct calls {
    __u64 depth;
    __u64 start_ns[CALLS_MAX];
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct calls);
} own_calls SEC(".maps");

SEC("fentry")
int hist_fentry(__u64 *ctx)
{
    if (!filter__passes())
        return 0;
    struct calls *calls =
        bpf_task_storage_get(&own_calls, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (calls)
        calls->start_ns[calls->depth++ % CALLS_MAX] = bpf_ktime_get_ns();
    else
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
    return 0;
}

// A call that was entered before the probe was there is no loss.
SEC("fexit")
int hist_fexit(__u64 *ctx)
{
    __u64 now_ns = bpf_ktime_get_ns();
    struct calls *calls = bpf_task_storage_get(&own_calls, bpf_get_current_task_btf(), NULL, 0);
    if (!calls || !calls->depth)
        return 0;
    __u64 last = --calls->depth;
    struct wire_hist_key key;
    hist__key(&key, 0);
    if (calls->depth < CALLS_MAX)
        event__emit(ctx, &key, now_ns - calls->start_ns[last % CALLS_MAX]);
    else
        hist__unmatched(&key, 1);
    return 0;
}

static __always_inline void leave_open(struct task_struct *task)
{
    struct calls *calls = bpf_task_storage_get(&own_calls, task, NULL, 0);
    struct wire_hist_key key;
    if (!calls || !calls->depth)
        return;
    __u64 depth = calls->depth;
    calls->depth = 0;
    hist__key_of(task, &key);
    hist__unmatched(&key, depth);
}

HIST_LEFT_OPEN(leave_open)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
