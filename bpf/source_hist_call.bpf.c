// How long a function of a program takes, from its entry to its return, per thread.
//
// The calls a thread is in stand in its task storage, innermost last, each with the place of its return address. The
// place tells them apart when they are nested, and when some never return: a call whose frame lies below the stack
// pointer was left by longjmp or an exception, and is counted as unmatched.
//
// The stack of a call, where stacks are kept, is that at its return, with the function itself on top of its callers.
#define UNWIND_AT_UPROBE 1
#define SCRATCH_SLOTS    4 // a uprobe's program may be preempted, and another thread of the CPU may hit the probe then
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

#include "bpf/event.bpf.h"
#include "bpf/hist_argument.bpf.h"

// As many uretprobes as the kernel lets wait in one thread (include/linux/uprobes.h, MAX_URETPROBE_DEPTH).
#define CALLS_MAX 64

struct call {
    __u64 stack;    // where the return address is
    __u64 start_ns; // 0: its argument could not be read
    __u64 argument; // of --by
};

struct calls {
    __u64 has_passed; // see hist__of_thread()
    __u32 depth;
    struct call rows[CALLS_MAX];
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct calls);
} own_calls SEC(".maps");

// The barrier hides from clang what it knows of the index, or it would leave the bound out that the verifier wants to
// see.
static __always_inline struct call *calls__row(struct calls *calls, __u32 index)
{
    asm volatile("" : "+r"(index));
    return &calls->rows[index & (CALLS_MAX - 1)];
}

// Forgets the innermost calls that lie below `stack`, and returns how many they were. Global, and so verified once:
// what follows would else be looked at for each number of them, which is more than 6.1 does.
__noinline __u64 calls__forget_below(struct calls *calls, __u64 stack)
{
    __u64 forgotten = 0;
    if (!calls)
        return 0;
    for (__u32 i = 0; i < CALLS_MAX; i++) {
        __u32 last = calls->depth - 1;
        if (last >= CALLS_MAX || calls__row(calls, last)->stack >= stack)
            break;
        calls->depth = last;
        forgotten++;
    }
    return forgotten;
}

// The same, without a call for the most usual answer, none.
static __always_inline __u64 calls__forget(struct calls *calls, __u64 stack)
{
    __u32 last = calls->depth - 1;
    if (last >= CALLS_MAX || calls__row(calls, last)->stack >= stack)
        return 0;
    return calls__forget_below(calls, stack);
}

// Whether the thread is looked at.
static __always_inline bool enter(struct pt_regs *ctx)
{
    struct calls *calls = hist__of_thread(&own_calls);
    if (!calls)
        return false;
    __u64 stack = PT_REGS_SP(ctx);
    __u64 unmatched = calls__forget(calls, stack + 1);
    __u32 depth = calls->depth;
    if (depth < CALLS_MAX) {
        struct call *call = calls__row(calls, depth);
        __u64 argument;
        bool is_read = hist__by_argument(ctx, &argument);
        call->stack = stack;
        call->argument = argument;
        call->start_ns = is_read ? bpf_ktime_get_ns() : 0;
        calls->depth = depth + 1;
    } else {
        unmatched++; // and the kernel will not tell of its return
    }
    if (unmatched) {
        struct wire_hist_key key;
        hist__key(&key, 0);
        hist__unmatched(&key, unmatched);
    }
    return true;
}

static __always_inline __u64 returned_from(struct pt_regs *ctx)
{
    return own_hist.stacks ? uprobe__returned_from(ctx) : 0;
}

struct ended {
    __u64 start_ns; // 0: no call that can be counted ends here
    __u64 argument;
    __u64 unmatched;
};

static __always_inline void calls__end(struct calls *calls, __u64 stack, struct ended *ret_ended)
{
    ret_ended->unmatched = calls__forget(calls, stack);
    __u32 last = calls->depth - 1;
    struct call *call = calls__row(calls, last);
    if (last < CALLS_MAX && call->stack == stack) {
        ret_ended->start_ns = call->start_ns;
        ret_ended->argument = call->argument;
        ret_ended->unmatched += !call->start_ns;
        calls->depth = last;
    } else {
        ret_ended->unmatched++;
    }
}

static __always_inline bool end(__u64 stack, struct ended *ret_ended)
{
    struct calls *calls = bpf_task_storage_get(&own_calls, bpf_get_current_task_btf(), NULL, 0);
    if (!calls)
        return false; // a thread that is not looked at
    calls__end(calls, stack, ret_ended);
    return true;
}

// Where stacks are kept: verified by itself. Each way through the loop would otherwise be a way through the unwinder
// too, more than the million instructions that the verifier of 6.1 looks at.
__noinline __u32 end_apart(struct ended *ret_ended, __u64 stack)
{
    return ret_ended ? end(stack, ret_ended) : 0;
}

static __always_inline void leave(struct pt_regs *ctx)
{
    __u64 now_ns = bpf_ktime_get_ns();
    __u64 stack = PT_REGS_SP(ctx) - sizeof(__u64); // the return address has been taken off
    struct ended ended = {0};
    struct wire_hist_key key;
    if (own_hist.stacks ? !end_apart(&ended, stack) : !end(stack, &ended))
        return;
    hist__key(&key, ended.argument);
    if (ended.start_ns)
        event__emit_returned(ctx, &key, now_ns - ended.start_ns, returned_from(ctx));
    if (ended.unmatched)
        hist__unmatched(&key, ended.unmatched);
}

SEC("kprobe")
int hist_entry(struct pt_regs *ctx)
{
    enter(ctx);
    return 0;
}

SEC("kprobe")
int hist_return(struct pt_regs *ctx)
{
    leave(ctx);
    return 0;
}

// Both, where the kernel has uprobe sessions (6.13): what the entry returns says whether the return is wanted. At the
// entry the thread is where the probe is; at the return it is at its caller already.
SEC("kprobe")
int hist_session(struct pt_regs *ctx)
{
    if (bpf_get_func_ip(ctx) == PT_REGS_IP(ctx))
        return enter(ctx) ? 0 : 1;
    leave(ctx);
    return 0;
}

// The same without an end: the value of an argument, or of what is returned.
SEC("kprobe")
int hist_value(struct pt_regs *ctx)
{
    struct wire_hist_key key;
    if (!filter__passes())
        return 0;
    __u64 value, by;
    if (!hist__by_argument(ctx, &by) || !argument__of(ctx, own_hist.argument, &value)) {
        hist__lose(WIRE_LOSS_VALUES_UNREAD);
        return 0;
    }
    hist__key(&key, by);
    hist__add_cut(ctx, &key, hist__cut(value, own_hist.bytes, own_hist.is_signed), own_hist.is_signed,
                  own_hist.argument == WIRE_HIST_RETURNED ? returned_from(ctx) : 0);
    return 0;
}

// Calls that will not be seen to return: their thread ends, or the recording.
static __always_inline void leave_open(struct task_struct *task)
{
    struct calls *calls = bpf_task_storage_get(&own_calls, task, NULL, 0);
    struct wire_hist_key key;
    __u32 depth = calls ? calls->depth : 0;
    if (!depth)
        return;
    calls->depth = 0;
    hist__key_of(task, &key);
    if (own_hist.by != WIRE_HIST_BY_ARGUMENT) {
        hist__unmatched(&key, depth);
        return;
    }
    for (__u32 i = 0; i < CALLS_MAX && i < depth; i++) {
        key.by.number = calls__row(calls, i)->argument;
        hist__unmatched(&key, 1);
    }
}

HIST_LEFT_OPEN(leave_open)

// For measuring the cost of a probe without a program: see collector/probes/trap.h.
SEC("kprobe")
int trap_nothing(struct pt_regs *ctx)
{
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
