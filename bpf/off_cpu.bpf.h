// Waits of threads, from leaving the CPU to being back on it; see source_off_cpu.bpf.c, and source_wall.bpf.c, which
// counts the time between waits too.
#ifndef HEARTH_BPF_OFF_CPU_H
#define HEARTH_BPF_OFF_CPU_H

#define WAIT_FIELDS                                                                                                    \
    __u64 counted_ns; /* counted up to here; 0: the thread does not wait */                                            \
    __u64 ran_ns;     /* of a thread on the CPU: when it began what is not counted yet; 0: not known */                \
    __u64 owed_ns;    /* of one off the CPU: how long it ran since it was sampled */                                   \
    __u64 cpu_ns;     /* its CPU time, as the scheduler has it, when it left the CPU */                                \
    __u64 spent_ns;   /* while the event is thinned: up to when it has used its share of waits taken singly */         \
    __u64 weight;     /* how many waits this one counts for */
#include "bpf/early.bpf.h"
#include "bpf/waits.bpf.h"

const volatile __u64 own_min_ns, own_max_ns; // of a wait that is counted at all; 0: no bound

// Of task_struct's __state (include/linux/sched.h); the same from 5.15 to 6.18.
enum {
    TASK_UNINTERRUPTIBLE = 0x2,
    TASK_STOPPED_OR_TRACED = 0xc,
    TASK_DEAD = 0x80,
    TASK_NOLOAD = 0x400,
};

#define PF_KTHREAD 0x00200000 // include/linux/sched.h

static __always_inline __u32 wait__state(struct task_struct *task, bool preempted)
{
    __u32 state = task->__state;
    if (preempted || !state)
        return WIRE_WAIT_PREEMPTED;
    if (state & TASK_DEAD)
        return WIRE_WAIT_STATE_COUNT;
    // A kernel thread with nothing to do sleeps "idle": uninterruptible, but no load.
    if ((state & TASK_UNINTERRUPTIBLE) && !(state & TASK_NOLOAD))
        return WIRE_WAIT_UNINTERRUPTIBLE;
    return state & TASK_STOPPED_OR_TRACED ? WIRE_WAIT_STOPPED : WIRE_WAIT_SLEEPING;
}

// The current task goes off the CPU, for a reason that is no end. The wait begins at now_ns, however long the walk of
// the stack takes then, and counts for `weight` waits.
static __always_inline void wait__begin(void *ctx, struct wait *wait, __u32 state, __u32 weight, __u64 now_ns)
{
    struct sample sample = {.event = own_event, .detail = state};
    event__begin(ctx, &wait->who, &sample, weight, memo__fill);
    wait->weight = weight;
    wait->cpu_ns = who__current()->se.sum_exec_runtime;
    wait->start_ns = now_ns;
    __sync_lock_test_and_set(&wait->counted_ns, now_ns);
}

static __always_inline __u64 wait__early_stack(struct scratch *scratch, struct task_struct *task, __u64 switches)
{
    __u64 id = early__stack_id(task, switches);
    struct early_wait early = {.start_boot_ns = task->start_boottime, .switches = switches};
    __u32 tid = task->pid;
    scratch->chunk.caller = 0;
    scratch->chunk.status = WIRE_STACK_EARLIER;
    if (!stack__add_chunk(scratch->slot, 0, 0, id)) {
        tally__lose(WIRE_LOSS_STACKS_FULL);
        return WIRE_STACK_LOST;
    }
    bpf_map_update_elem(&early_waits, &tid, &early, BPF_ANY);
    return id;
}

// Whether a task is looked at by the begin iterators. A child of the collector, in whose name they run, is a worker, or
// the command, which waits for its start and is not what was asked for yet.
static __always_inline bool wait__may_be_early(struct task_struct *task)
{
    __u32 parent = BPF_CORE_READ(task, group_leader, real_parent, tgid);
    return !(task->__state & TASK_DEAD) && parent != bpf_get_current_pid_tgid() >> 32 &&
           filter__task_passes(task, false);
}

// A thread that waits already, looked at from outside. Its wait is counted from now on. Where it has been switched
// meanwhile, sched_switch has found no wait to end: there is none.
static __always_inline void wait__begin_early(struct task_struct *task, struct wait *wait)
{
    struct scratch *scratch = scratch__take(1);
    if (!scratch) {
        tally__emit(1); // a sample that is lost
        return;
    }
    __u64 switches = early__switches(task);
    scratch__choose_set(scratch);
    long bytes = bpf_get_task_stack(task, scratch->frames, WIRE_KERNEL_FRAMES_MAX * 8, 0);
    struct wire_count_key *key = &wait->who.sample;
    key->kernel_stack = bytes > 0 ? stack__put(scratch, 0, (__u32)bytes / 8, WIRE_STACK_WHOLE) : WIRE_NO_STACK;
    key->user_stack = task->flags & PF_KTHREAD ? WIRE_NO_STACK : wait__early_stack(scratch, task, switches);
    scratch__give_back(scratch);
    wait->weight = 1;
    wait->cpu_ns = task->se.sum_exec_runtime;
    key->event = own_event;
    key->detail = wait__state(task, false);
    who__fill(task, false, key);
    wait->who.has_sample = 1;
    __u64 now_ns = wait->start_ns = bpf_ktime_get_ns();
    __sync_val_compare_and_swap(&wait->counted_ns, 0, now_ns);
    if (early__switches(task) != switches || *(volatile int *)&task->on_cpu)
        __sync_val_compare_and_swap(&wait->counted_ns, now_ns, 0);
}

static __always_inline bool wait__is_within_bounds(__u64 ns)
{
    return ns >= own_min_ns && (!own_max_ns || ns <= own_max_ns);
}

// The thread is back at now_ns. Returns up to when its wait is counted: later than now_ns, where an iterator has
// counted it up to a later time.
static __noinline __u64 wait__end(struct wait *wait, __u64 now_ns)
{
    __u64 counted_ns = __sync_lock_test_and_set(&wait->counted_ns, 0);
    __u64 end_ns = counted_ns > now_ns ? counted_ns : now_ns;
    if (counted_ns && wait__is_within_bounds(end_ns - wait->start_ns)) // one sample, when it is counted first
        event__end(&wait->who, end_ns - counted_ns, wait->weight, counted_ns == wait->start_ns);
    return end_ns;
}

// When the wait of a thread ended that has been on the CPU up to now_ns, and whose return to it was not seen: now and
// then sched_switch runs no program (seen on 6.18 for the threads of one process; the kernel does not count that as a
// miss). The scheduler accounts the time on the CPU at each switch and at each tick: of a thread that is still on the
// CPU, it may not know the last tick's length yet.
static __always_inline __u64 wait__unseen_end(struct task_struct *task, const struct wait *wait, __u64 now_ns)
{
    __u64 ran_ns = task->se.sum_exec_runtime - wait->cpu_ns, since_ns = now_ns - wait->start_ns;
    return ran_ns < since_ns ? now_ns - ran_ns : wait->start_ns;
}

// A thread is on the CPU, and its return was not seen. Returns since when it is there; 0: nothing is known of it.
static __always_inline __u64 wait__end_unseen(struct task_struct *task, struct wait *wait, __u64 now_ns)
{
    return wait->counted_ns ? wait__end(wait, wait__unseen_end(task, wait, now_ns)) : 0;
}

static __always_inline void wait__settle(struct bpf_iter__task *ctx, struct task_struct *task, struct wait *wait)
{
    __u64 counted_ns = wait->counted_ns;
    if (!counted_ns)
        return;
    wait__hold(ctx, wait);
    __u64 now_ns = bpf_ktime_get_ns();
    if (task->on_cpu) // it is leaving the CPU right now, or its return was not seen
        return;
    if (own_hist.is_on || !wait->who.has_sample || own_max_ns || !wait__is_within_bounds(now_ns - wait->start_ns))
        return;
    // The thread may come back while this runs: then its storage has changed, and wait__end() has counted all of it.
    struct wire_count_key key = wait->who.sample;
    __u64 start_ns = wait->start_ns, weight = wait->weight;
    if (__sync_val_compare_and_swap(&wait->counted_ns, counted_ns, now_ns) == counted_ns)
        event__count(&key, now_ns - counted_ns, weight, counted_ns == start_ns);
}

// For each thread that waits: its time so far, where that can be told before the wait is over, and the stacks it holds
// on to.
SEC("iter/task")
int waits_still(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    struct wait *wait = task ? wait__of(task) : NULL;
    if (wait)
        wait__settle(ctx, task, wait);
    return 0;
}

#endif
