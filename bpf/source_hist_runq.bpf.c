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
#include "bpf/wire.h"

const volatile __u16 own_event;

#include "bpf/filter_task.bpf.h"
#include "bpf/hist.bpf.h"
#include "bpf/memo.bpf.h"

enum seen { // leaving the CPU
    SEEN_NOT,
    SEEN_NEW, // the thread has never done so
    SEEN_WANTED,
    SEEN_REFUSED, // by the filter
};

struct wait {
    __u64 queued_ns; // 0: not queued
    __u32 seen;
    __u32 reserved;
    struct wire_hist_key key;
    struct wire_count_key sample; // where stacks are kept
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct wait);
} own_waits SEC(".maps");

static __always_inline struct wait *wait__make(struct task_struct *task)
{
    struct wait *wait = bpf_task_storage_get(&own_waits, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!wait)
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
    return wait;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(hist_wakeup, struct task_struct *task)
{
    struct wait *wait = wait__make(task);
    if (wait && !wait->queued_ns) // not preempted on its way to sleep: then it has waited all the time
        wait->queued_ns = bpf_ktime_get_ns();
    return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(hist_wakeup_new, struct task_struct *task)
{
    struct wait *wait = wait__make(task);
    if (!wait)
        return 0;
    wait->seen = SEEN_NEW;
    wait->queued_ns = bpf_ktime_get_ns();
    return 0;
}

static __always_inline void keep_stacks(void *ctx, struct wait *wait, bool is_runnable)
{
    struct sample sample = {.event = own_event, .detail = is_runnable ? WIRE_WAIT_PREEMPTED : WIRE_WAIT_STATE_COUNT};
    struct scratch *scratch = scratch__take(1);
    wait->sample.start_boot_ns = 0;
    if (!scratch) {
        tally__emit(1); // a sample that is lost
        return;
    }
    memo__fill(ctx, scratch, &sample);
    wait->sample = scratch->key;
    scratch__give_back(scratch);
}

static __always_inline void leave(void *ctx, struct task_struct *task, bool is_runnable)
{
    bool is_wanted = filter__passes();
    struct wait *wait = is_wanted ? wait__make(task) : bpf_task_storage_get(&own_waits, task, NULL, 0);
    if (!wait)
        return;
    wait->seen = is_wanted ? SEEN_WANTED : SEEN_REFUSED;
    wait->queued_ns = 0;
    if (!is_wanted)
        return;
    hist__key(&wait->key, 0);
    if (own_hist.stacks)
        keep_stacks(ctx, wait, is_runnable);
    if (is_runnable)
        wait->queued_ns = bpf_ktime_get_ns();
}

// A thread that has not left the CPU since the begin: looked at from outside, for the current task is another one.
static __always_inline bool first_seen(struct task_struct *task, struct wait *wait)
{
    if (!filter_task__passes(task) || !filter__cpu_passes())
        return false;
    hist__key_of(task, &wait->key);
    if (!own_hist.stacks)
        return true;
    struct scratch *scratch = scratch__take(1);
    wait->sample.start_boot_ns = 0;
    if (!scratch) {
        tally__emit(1);
        return true;
    }
    scratch__choose_set(scratch);
    wait->sample.event = own_event;
    wait->sample.detail = WIRE_WAIT_STATE_COUNT;
    wait->sample.user_stack =
        stack__put_chunk(scratch->slot, 0, 0, wait->seen == SEEN_NEW ? WIRE_STACK_NEW : WIRE_STACK_EARLIER, 0);
    filter_task__key(task, &wait->sample);
    scratch__give_back(scratch);
    return true;
}

static __noinline void come(struct task_struct *task, struct wait *wait)
{
    __u64 waited_ns = bpf_ktime_get_ns() - wait->queued_ns;
    wait->queued_ns = 0;
    if (wait->seen == SEEN_REFUSED || (wait->seen != SEEN_WANTED && !first_seen(task, wait)))
        return;
    hist__count(&wait->key, waited_ns);
    if (!own_hist.stacks || !wait->sample.start_boot_ns)
        return;
    wait->sample.bucket = wait->key.bucket + 1;
    tally__emit(1);
    counts__add(control__active_set(), &wait->sample, 1, waited_ns);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(hist_runq_switch, bool preempted, struct task_struct *prev, struct task_struct *next)
{
    if (prev->pid)
        leave(ctx, prev, preempted || !prev->__state);
    struct wait *wait = next->pid ? bpf_task_storage_get(&own_waits, next, NULL, 0) : NULL;
    if (wait && wait->queued_ns)
        come(next, wait);
    return 0;
}

SEC("iter/task")
int waits_still(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    struct wait *wait = task ? bpf_task_storage_get(&own_waits, task, NULL, 0) : NULL;
    if (!wait || wait->seen != SEEN_WANTED)
        return 0;
    __u64 stacks[2] = {wait->sample.user_stack, wait->sample.kernel_stack};
    bpf_seq_write(ctx->meta->seq, stacks, sizeof(stacks));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
