// Off-CPU time: from the moment a thread leaves the CPU to the one it is back, with the stack it left with.
//
//   sched_switch, prev  still the current task: who it is and its stacks are put into its task storage, with the time
//   sched_switch, next  what its storage holds is counted, with the time since
//   iterators           who waits when the recording begins does so from then on (bpf/early.bpf.h); what threads still
//                       wait for is counted up to now, before each drain
//
// The chunks of a stack lie in the set that was active when its thread left. The collector keeps them for as long as
// the iterator names them.
#define KERNEL_FRAMES_SKIPPED 2 // the program and bpf_trace_runN
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

#include "bpf/off_cpu.bpf.h"

// While the event is thinned (bpf/common/pace.bpf.h), a thread has one wait each EACH_NS, doubled with each halving,
// taken with weight 1, and up to BURST of them at once: the waits of a thread that waits now and then are exact. The
// waits above that rate, which cost most of the CPU time, are taken by chance. At the choice nobody knows how long the
// wait will be, so that neither long nor short ones are preferred.
enum { EACH_NS = 1000000, BURST = 8 };

static __always_inline __u32 choose_weight(struct wait *wait, __u64 now_ns)
{
    __u32 halvings = own_hist.is_on ? 0 : pace__halvings(own_event);
    if (!halvings)
        return 1;
    __u64 each_ns = (__u64)EACH_NS << halvings, from_ns = wait->spent_ns > now_ns ? wait->spent_ns : now_ns;
    if (from_ns - now_ns >= BURST * each_ns)
        return pace__choose(own_event, halvings, false);
    wait->spent_ns = from_ns + each_ns;
    return 1;
}

static __always_inline void leave(void *ctx, struct task_struct *task, bool preempted, __u64 now_ns)
{
    __u32 state = wait__state(task, preempted);
    if (state == WIRE_WAIT_STATE_COUNT || !filter__passes())
        return;
    struct wait *wait = wait__make(task);
    if (!wait)
        return;
    wait__end_unseen(task, wait, now_ns);
    __u32 weight = choose_weight(wait, now_ns);
    if (!weight)
        return;
    wait__begin(ctx, wait, state, weight, now_ns);
    pace__spend(own_event, bpf_ktime_get_ns() - now_ns);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(off_cpu_switch, bool preempted, struct task_struct *prev, struct task_struct *next)
{
    __u64 now_ns = bpf_ktime_get_ns(); // as the kernel accounts it: the time from here on is next's
    leave(ctx, prev, preempted, now_ns);
    struct wait *wait = next->pid ? wait__of(next) : NULL;
    if (wait)
        wait__end(wait, now_ns);
    return 0;
}

SEC("iter/task")
int off_cpu_begin(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    if (!task || task->on_cpu || !wait__may_be_early(task))
        return 0;
    struct wait *wait = wait__make(task);
    if (wait && !wait->counted_ns)
        wait__begin_early(task, wait);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
