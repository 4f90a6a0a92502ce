// The table of threads that wait: what a context switch has kept of each, until another one, or an iterator, counts it.
// A source that includes this may add fields of its own to each row:
//
//   #define WAIT_FIELDS __u64 counted_ns;
#ifndef HEARTH_BPF_WAITS_H
#define HEARTH_BPF_WAITS_H

#include "bpf/event.bpf.h"
#include "bpf/memo.bpf.h"

struct wait {
    __u64 start_ns;
    struct event_who who;
    WAIT_FIELDS
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct wait);
} own_waits SEC(".maps");

// NULL: the thread has none.
static __always_inline struct wait *wait__of(struct task_struct *task)
{
    return bpf_task_storage_get(&own_waits, task, NULL, 0);
}

static __always_inline struct wait *wait__try_make(struct task_struct *task)
{
    return bpf_task_storage_get(&own_waits, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

// Of a thread that has passed the filter.
static __always_inline struct wait *wait__make(struct task_struct *task)
{
    struct wait *wait = wait__try_make(task);
    if (!wait)
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
    return wait;
}

// Tells the collector of the stacks that the wait will be counted with: they stay in the maps that long.
static __always_inline void wait__hold(struct bpf_iter__task *ctx, const struct wait *wait)
{
    __u64 stacks[2] = {wait->who.sample.user_stack, wait->who.sample.kernel_stack};
    bpf_seq_write(ctx->meta->seq, stacks, sizeof(stacks));
}

#endif
