// Wall time: each thread's time on the CPU and off it, in one event, so that they add up to the time that passed.
//
// Off the CPU as in source_off_cpu.bpf.c. On the CPU a clock samples, and a sample's value is not the clock's period
// but the time the thread has run since what was counted of it last: the time between two samples is known from
// sched_switch, and only where it was spent is an estimate. The time that a thread ran without being sampled again is
// counted at its end, or the recording's, as "[on-CPU, not sampled]".
//
//   ran_ns    switch-in ... sample: value = now - ran_ns, ran_ns = now ... switch-out: owed_ns = now - ran_ns
//   next switch-in: ran_ns = now - owed_ns, so that the next sample counts owed_ns too
//
// Threads that wait when the recording begins are found by an iterator (bpf/early.bpf.h).
#define KERNEL_FRAMES_SKIPPED 2 // the program and bpf_trace_runN
#define SCRATCH_SLOTS         3 // the clock may interrupt the iterators
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

#include "bpf/off_cpu.bpf.h"

// Time on the CPU that no sample has fallen into: the thread is known, the stack is not.
static __noinline void count_not_sampled(struct task_struct *task, __u64 ns)
{
    struct wire_count_key key = {.event = own_event, .detail = WIRE_WAIT_NOT_SAMPLED};
    who__fill(task, false, &key);
    event__count(&key, ns, 1, true);
}

// Since when a thread that came back at end_ns runs, for its next sample: what it was owed is a part of that.
static __always_inline __u64 take_owed(struct wait *wait, __u64 end_ns)
{
    __u64 owed_ns = wait->owed_ns;
    wait->owed_ns = 0;
    return end_ns - owed_ns;
}

// The same of a thread on the CPU whose return was not seen; 0: not known.
static __always_inline __u64 runs_unseen(struct task_struct *task, struct wait *wait, __u64 now_ns)
{
    __u64 end_ns = wait__end_unseen(task, wait, now_ns);
    return end_ns ? take_owed(wait, end_ns) : 0;
}

static __always_inline void leave(void *ctx, struct task_struct *task, bool preempted, __u64 now_ns)
{
    if (!filter__passes())
        return;
    __u32 state = wait__state(task, preempted);
    struct wait *wait = wait__make(task);
    if (!wait)
        return;
    __u64 ran_ns = __sync_lock_test_and_set(&wait->ran_ns, 0);
    if (!ran_ns)
        ran_ns = runs_unseen(task, wait, now_ns);
    wait->owed_ns = ran_ns && ran_ns < now_ns ? now_ns - ran_ns : 0;
    if (state != WIRE_WAIT_STATE_COUNT)
        wait__begin(ctx, wait, state, 1, now_ns);
    else if (wait->owed_ns)
        count_not_sampled(task, wait->owed_ns);
}

// Between its fork and its first turn a thread is ready, and waits for a CPU.
static __noinline void count_first_wait(struct task_struct *task, __u64 now_ns)
{
    struct wire_count_key key = {.event = own_event, .detail = WIRE_WAIT_PREEMPTED};
    if (early__switches(task) || task->start_time >= now_ns)
        return;
    who__fill(task, false, &key);
    event__count(&key, now_ns - task->start_time, 1, true);
}

// A thread that has not left the CPU since the begin: new, if the filter lets it through.
static __always_inline struct wait *first_seen(struct task_struct *task, __u64 now_ns)
{
    struct wait *wait = filter__task_passes(task, false) ? wait__make(task) : NULL;
    if (wait)
        count_first_wait(task, now_ns);
    return wait;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(wall_switch, bool preempted, struct task_struct *prev, struct task_struct *next)
{
    __u64 now_ns = bpf_ktime_get_ns(); // as the kernel accounts it: the time from here on is next's
    leave(ctx, prev, preempted, now_ns);
    if (!next->pid)
        return 0;
    struct wait *wait = wait__of(next);
    if (!wait)
        wait = first_seen(next, now_ns);
    if (!wait)
        return 0;
    wait->ran_ns = take_owed(wait, wait__end(wait, now_ns));
    return 0;
}

SEC("perf_event")
int sample_perf_event(struct bpf_perf_event_data *ctx)
{
    // A sample that is left out needs no weight: the value of the thread's next one is the time since the last.
    if (!filter__passes() || !pace__weight(own_event, true))
        return 0;
    struct task_struct *task = who__current();
    struct wait *wait = wait__of(task);
    __u64 now_ns = bpf_ktime_get_ns();
    __u64 ran_ns = wait ? __sync_lock_test_and_set(&wait->ran_ns, now_ns) : 0;
    if (wait && !ran_ns)
        ran_ns = runs_unseen(task, wait, now_ns);
    if (!ran_ns)
        return 0;
    struct sample sample = {
        .event = own_event, .value = now_ns - ran_ns, .detail = WIRE_WAIT_STATE_COUNT, .is_interrupt = true};
    sample__count(ctx, &sample, 1);
    return 0;
}

// At the begin: what each thread does.
SEC("iter/task")
int wall_begin(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    if (!task || !wait__may_be_early(task))
        return 0;
    struct wait *wait = wait__make(task);
    if (!wait || wait->counted_ns || wait->ran_ns)
        return 0; // the thread has been switched meanwhile
    if (task->on_cpu)
        __sync_val_compare_and_swap(&wait->ran_ns, 0, bpf_ktime_get_ns());
    else
        wait__begin_early(task, wait);
    return 0;
}

// At the end: what threads ran since their last sample.
SEC("iter/task")
int wall_end(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    struct wait *wait = task ? wait__of(task) : NULL;
    if (!wait)
        return 0;
    __u64 ran_ns = __sync_lock_test_and_set(&wait->ran_ns, 0), ns = wait->owed_ns;
    wait->owed_ns = 0;
    if (ran_ns)
        ns += bpf_ktime_get_ns() - ran_ns;
    if (ns)
        count_not_sampled(task, ns);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
