// How long threads wait for a CPU: from being woken, or preempted, to running.
//
//   sched_switch, prev  still the current task: who it is, and with stacks what they are, is put into its task storage
//   sched_wakeup        it waits from now on; from sched_switch on, where it could have gone on
//   sched_switch, next  the time since is counted, for whom its storage says
//   iterator            the stacks that threads hold on to; run by the collector before each drain
//
// So the stack of a wait is the one the thread left the CPU with: where it waited for what has woken it, or was
// preempted, and where it goes on. A thread that has not left the CPU since the begin has none.
#define KERNEL_FRAMES_SKIPPED 2 // the program and bpf_trace_runN
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

enum seen { // leaving the CPU
    SEEN_NOT,
    SEEN_NEW, // the thread has never done so
    SEEN_WANTED,
    SEEN_REFUSED, // by the filter
};

#define WAIT_FIELDS __u64 seen; // enum seen
#include "bpf/waits.bpf.h"

// Every thread that wakes up gets a wait: the filter is asked when it runs. Where the kernel refuses one, for instance
// because this CPU is in the middle of making another one, only a thread that passes the filter has lost something.
static __always_inline struct wait *begin(struct task_struct *task)
{
    struct wait *wait = wait__try_make(task);
    if (!wait && filter__task_passes(task, false))
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
    return wait;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(hist_wakeup, struct task_struct *task)
{
    struct wait *wait = begin(task);
    if (wait && !wait->start_ns) // not preempted on its way to sleep: then it has waited all the time
        wait->start_ns = bpf_ktime_get_ns();
    return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(hist_wakeup_new, struct task_struct *task)
{
    struct wait *wait = begin(task);
    if (!wait)
        return 0;
    wait->seen = SEEN_NEW;
    wait->start_ns = bpf_ktime_get_ns();
    return 0;
}

static __always_inline void leave(void *ctx, struct task_struct *task, bool is_runnable)
{
    bool is_wanted = filter__passes();
    struct wait *wait = is_wanted ? wait__make(task) : wait__of(task);
    if (!wait)
        return;
    wait->seen = is_wanted ? SEEN_WANTED : SEEN_REFUSED;
    wait->start_ns = 0;
    if (!is_wanted)
        return;
    struct sample sample = {.event = own_event, .detail = is_runnable ? WIRE_WAIT_PREEMPTED : WIRE_WAIT_STATE_COUNT};
    event__begin(ctx, &wait->who, &sample, 1, memo__fill);
    if (is_runnable)
        wait->start_ns = bpf_ktime_get_ns();
}

// A thread that has not left the CPU since the begin: looked at from outside, for the current task is another one.
static __always_inline bool first_seen(struct task_struct *task, struct wait *wait)
{
    struct wire_count_key *key = &wait->who.sample;
    if (!filter__task_passes(task, false) || !filter__cpu_passes())
        return false;
    hist__key_of(task, &wait->who.hist);
    struct scratch *scratch = own_hist.stacks ? scratch__take(1) : NULL;
    wait->who.has_sample = scratch != NULL;
    if (!scratch) {
        if (own_hist.stacks)
            tally__emit(1); // a sample that is lost
        return true;
    }
    scratch__choose_set(scratch);
    key->event = own_event;
    key->detail = WIRE_WAIT_STATE_COUNT;
    key->user_stack =
        stack__put_chunk(scratch->slot, 0, 0, wait->seen == SEEN_NEW ? WIRE_STACK_NEW : WIRE_STACK_EARLIER, 0);
    who__fill(task, false, key);
    scratch__give_back(scratch);
    return true;
}

static __noinline void come(struct task_struct *task, struct wait *wait)
{
    __u64 waited_ns = bpf_ktime_get_ns() - wait->start_ns;
    wait->start_ns = 0;
    if (wait->seen != SEEN_REFUSED && (wait->seen == SEEN_WANTED || first_seen(task, wait)))
        event__end(&wait->who, waited_ns, 1, true);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(hist_runq_switch, bool preempted, struct task_struct *prev, struct task_struct *next)
{
    if (prev->pid)
        leave(ctx, prev, preempted || !prev->__state);
    struct wait *wait = next->pid ? wait__of(next) : NULL;
    if (wait && wait->start_ns)
        come(next, wait);
    return 0;
}

SEC("iter/task")
int waits_still(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    struct wait *wait = task ? wait__of(task) : NULL;
    if (wait && wait->seen == SEEN_WANTED)
        wait__hold(ctx, wait);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
