// Histograms: from a value to its bucket. bpf/event.bpf.h counts the values, with their stacks where those are asked
// for.
//
//   struct wire_hist_key key;
//   hist__key(&key, argument);      who the current thread is, as --by asks
//   hist__count(&key, value);       into its bucket
#ifndef HEARTH_BPF_HIST_H
#define HEARTH_BPF_HIST_H

#include "bpf/common/filter.bpf.h"
#include "bpf/wire/hist_bucket.h"

const volatile struct wire_hist_config own_hist;

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} own_lost SEC(".maps");

static __always_inline void hist__lose(enum wire_loss loss)
{
    __u32 zero = 0;
    __u64 *lost = bpf_map_lookup_elem(&own_lost, &zero);
    if (lost)
        __sync_fetch_and_add(lost, 1);
    tally__lose(loss);
}

// An argument cut to its size; what a register has above that is anything.
static __always_inline __u64 hist__cut(__u64 value, __u32 bytes, bool is_signed)
{
    __u32 unused_bits = (64 - 8 * (bytes & 15)) & 63;
    value <<= unused_bits;
    return is_signed ? (__u64)((__s64)value >> unused_bits) : value >> unused_bits;
}

static __always_inline void hist__fill_key(struct task_struct *task, bool is_current, struct wire_hist_key *key,
                                           __u64 argument)
{
    __builtin_memset(key, 0, sizeof(*key));
    key->number = own_hist.number;
    if (own_hist.by == WIRE_HIST_BY_COMM)
        who__comm(task, is_current, key->by.comm);
    else if (own_hist.by == WIRE_HIST_BY_PID)
        key->by.number = task->tgid;
    else if (own_hist.by == WIRE_HIST_BY_TID)
        key->by.number = task->pid;
    else if (own_hist.by == WIRE_HIST_BY_CGROUP)
        key->by.number = who__cgroup(task, is_current);
    else if (own_hist.by == WIRE_HIST_BY_ARGUMENT)
        key->by.number = argument;
}

static __always_inline void hist__key(struct wire_hist_key *key, __u64 argument)
{
    hist__fill_key(who__current(), true, key, argument);
}

// The same of any thread, but for an argument.
static __always_inline void hist__key_of(struct task_struct *task, struct wire_hist_key *key)
{
    hist__fill_key(task, false, key, 0);
}

// The current thread's value in a map of task storage; values begin with a __u64, which says whether the thread has
// passed the filter. NULL: it is not looked at. Where an answer of the filter lasts, asking again would cost as much as
// the rest.
static __always_inline void *hist__of_thread(void *map)
{
    struct task_struct *task = who__current();
    __u64 *has_passed = bpf_task_storage_get(map, task, NULL, 0);
    if (has_passed && filter__lasts() && *has_passed)
        return has_passed;
    if (!filter__passes())
        return NULL;
    if (!has_passed)
        has_passed = bpf_task_storage_get(map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (has_passed)
        *has_passed = 1;
    else
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
    return has_passed;
}

static __always_inline void *hist__find(__u32 set, const struct wire_hist_key *key)
{
    return SET_LOOK_UP(set, hists, key);
}

static __always_inline struct wire_hist_cell *hist__cell(const struct wire_hist_key *key)
{
    __u32 set = control__active_set();
    if (own_hist.by == WIRE_HIST_BY_NOTHING && !own_hist.all_groups) {
        __u32 bucket = key->bucket < 2 * WIRE_HIST_BUCKETS ? key->bucket : WIRE_HIST_CELLS - 1;
        __u32 place = own_hist.number * WIRE_HIST_CELLS + bucket;
        return SET_LOOK_UP(set, cells, &place);
    }
    struct wire_hist_cell *cell = hist__find(set, key);
    if (cell)
        return cell;
    struct wire_hist_cell none = {0};
    long err = set ? bpf_map_update_elem(&hists_1, key, &none, BPF_NOEXIST)
                   : bpf_map_update_elem(&hists_0, key, &none, BPF_NOEXIST);
    if (err == 0)
        control__note_entry(set, WIRE_FILL_HISTS);
    cell = err == 0 || err == -EEXIST ? hist__find(set, key) : NULL;
    if (!cell)
        hist__lose(WIRE_LOSS_HISTS_FULL);
    return cell;
}

static __always_inline void raise(__u64 *extreme, __u64 value)
{
    for (int turn = 0; turn < 4; turn++) {
        __u64 known = *(volatile __u64 *)extreme;
        if (value <= known || __sync_val_compare_and_swap(extreme, known, value) == known)
            return;
    }
}

// Atomic although per CPU: a uprobe's program may be preempted by another one on the same CPU. The minimum is kept as
// its complement, so that zero stands for no value yet. Two values may race for an extreme: then it is tried again.
static __always_inline void cell__add(struct wire_hist_cell *cell, __u64 value)
{
    __sync_fetch_and_add(&cell->count, 1);
    __sync_fetch_and_add(&cell->sum, (__u32)value);
    if (value >> 32)
        __sync_fetch_and_add(&cell->sum_high, value >> 32);
    raise(&cell->low, ~value);
    raise(&cell->max, value);
}

static __always_inline void hist__unmatched(struct wire_hist_key *key, __u64 count)
{
    key->bucket = WIRE_HIST_UNMATCHED;
    struct wire_hist_cell *cell = hist__cell(key);
    if (cell)
        __sync_fetch_and_add(&cell->count, count);
}

static __always_inline void hist__count_magnitude(struct wire_hist_key *key, __u64 magnitude, bool is_below_zero)
{
    key->bucket = (__u16)hist_bucket__of(magnitude) + (is_below_zero ? WIRE_HIST_BUCKETS : 0);
    struct wire_hist_cell *cell = hist__cell(key);
    if (cell)
        cell__add(cell, magnitude);
}

static __always_inline void hist__count(struct wire_hist_key *key, __u64 value)
{
    hist__count_magnitude(key, value, false);
}

// Two programs that call leave_open(task): for a thread that ends, and, once the event is detached, for each there is.
#define HIST_LEFT_OPEN(leave_open)                                                                                     \
    SEC("tp_btf/sched_process_exit")                                                                                   \
    int left_by_exit(void *ctx)                                                                                        \
    {                                                                                                                  \
        leave_open((struct task_struct *)bpf_get_current_task_btf());                                                  \
        return 0;                                                                                                      \
    }                                                                                                                  \
    SEC("iter/task")                                                                                                   \
    int left_at_end(struct bpf_iter__task *ctx)                                                                        \
    {                                                                                                                  \
        struct task_struct *task = ctx->task;                                                                          \
        if (task)                                                                                                      \
            leave_open(task);                                                                                          \
        return 0;                                                                                                      \
    }

#endif
