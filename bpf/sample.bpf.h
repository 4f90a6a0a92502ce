// sample_emit(): how each sample gets from a hook to the maps.
//
//   filter -> kernel stack -> user stack -> key -> count
//
// A source computes a value and calls it:
//
//   struct sample sample = {.event = own_event, .value = 1};
//   return sample_emit(ctx, &sample);
//
// Each object has scratch of its own, per CPU, in several slots: a program of the same object that interrupts another
// one (an NMI), or runs while it is preempted (a uprobe program may be), takes the next slot. When none is free the
// sample is dropped and counted as "nested".
#ifndef HEARTH_BPF_SAMPLE_H
#define HEARTH_BPF_SAMPLE_H

#include "bpf/common/filter.bpf.h"
#include "bpf/common/pace.bpf.h"
#include "bpf/unwind/copy.bpf.h"
#include "bpf/unwind/unwind.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

struct sample {
    __u64 value;
    __u32 detail;
    __u16 event;
    __u16 bucket;
    __u64 returned_from; // of a uretprobe: the function, which is the leaf; 0: the leaf is where the program is
    bool is_interrupt;   // in an object of another kind: no kernel frames are skipped
    bool is_periodic;    // of a clock or a hardware counter
};

struct scratch {
    __u32 taken;
    __u32 slot;       // of own_scratch
    __u32 flips, set; // the set this sample goes to, chosen once, and by which number of flips
    __u32 weight;     // how many samples this one counts for
    __u64 frames[WIRE_USER_FRAMES_MAX];
    struct unwind_walk walk;
    struct wire_chunk chunk;
    struct wire_count_key key;
};

#ifndef SCRATCH_SLOTS
#define SCRATCH_SLOTS 2
#endif

// Innermost kernel frames that belong to the way into the program (the trampoline of a BTF tracepoint), not to what
// was going on.
#ifndef KERNEL_FRAMES_SKIPPED
#define KERNEL_FRAMES_SKIPPED 0
#endif

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SCRATCH_SLOTS);
    __type(key, __u32);
    __type(value, struct scratch);
} own_scratch SEC(".maps");

// For a sample that counts for `weight` samples.
static __always_inline struct scratch *scratch__take(__u32 weight)
{
    for (__u32 slot = 0; slot < SCRATCH_SLOTS; slot++) {
        __u32 key = slot;
        struct scratch *scratch = bpf_map_lookup_elem(&own_scratch, &key);
        if (scratch && __sync_val_compare_and_swap(&scratch->taken, 0, 1) == 0) {
            scratch->slot = slot;
            scratch->weight = weight;
            return scratch;
        }
    }
    tally__lose_some(WIRE_LOSS_NESTED, weight);
    return NULL;
}

static __always_inline void scratch__choose_set(struct scratch *scratch)
{
    scratch->flips = control__flips();
    scratch->set = scratch->flips & 1;
}

static __always_inline void scratch__give_back(struct scratch *scratch)
{
    __sync_lock_test_and_set(&scratch->taken, 0);
}

static __always_inline __u64 mix(__u64 x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

// One step of a chain that mix() ends: a third of its cost. Nobody who does not know the seed can make two chains meet.
static __always_inline __u64 stir(__u64 state, __u64 word)
{
    state = (state ^ word) * 0x9fb21c651e98df25ull;
    return state ^ (state >> 32);
}

// Global functions are verified once, not once a call with all that the verifier knows there: loops inside loops would
// otherwise multiply to more instructions than it looks at.

// Puts the chunk of frames[first..first + taken) with its callers into the set. Returns whether it is there.
__noinline __u32 stack__add_chunk(__u32 slot, __u32 first, __u32 taken, __u64 id)
{
    // Looked up again: what a global function is given is plain memory to it, and that cannot be put into a map before
    // 6.2.
    struct scratch *scratch = bpf_map_lookup_elem(&own_scratch, &slot);
    if (!scratch)
        return 0;
    struct wire_chunk *chunk = &scratch->chunk;
    __builtin_memset(chunk->frames, 0, sizeof(chunk->frames));
    for (__u32 i = 0; i < WIRE_CHUNK_FRAMES && i < taken; i++)
        chunk->frames[i] = scratch->frames[(first + i) & (WIRE_USER_FRAMES_MAX - 1)];
    chunk->frame_count = taken;
    long err = scratch->set ? bpf_map_update_elem(&stacks_1, &id, chunk, BPF_NOEXIST)
                            : bpf_map_update_elem(&stacks_0, &id, chunk, BPF_NOEXIST);
    if (err == 0)
        control__note_entry(scratch->set, WIRE_FILL_STACKS);
    return err == 0 || err == -EEXIST; // another CPU was faster
}

// The id of the chunk of frames[first..first + taken), a hash of all in it. Most are in the set already.
__noinline __u64 stack__put_chunk(__u32 slot, __u32 first, __u32 taken, __u32 status, __u64 caller)
{
    struct scratch *scratch = bpf_map_lookup_elem(&own_scratch, &slot);
    if (!scratch)
        return WIRE_STACK_LOST;
    __u64 id = mix(config.stack_seed ^ caller) + taken + ((__u64)status << 8);
    for (__u32 i = 0; i < WIRE_CHUNK_FRAMES && i < taken; i++)
        id = stir(id, scratch->frames[(first + i) & (WIRE_USER_FRAMES_MAX - 1)]);
    id = mix(id);
    if (id <= WIRE_STACK_LOST)
        id += 2;
    if (SET_LOOK_UP(scratch->set, stacks, &id))
        return id;
    scratch->chunk.caller = caller;
    scratch->chunk.status = status;
    return stack__add_chunk(slot, first, taken, id) ? id : WIRE_STACK_LOST;
}

// Stores scratch->frames[first..first + count), leaf first, as chunks. They are cut from the root's end, so that
// recursion of different depths shares the chunks of its callers; the leaf's chunk is the short one.
__noinline __u64 stack__put(struct scratch *scratch, __u32 first, __u32 count, __u32 status)
{
    __u64 id = 0;
    if (!scratch)
        return WIRE_STACK_LOST;
    if (count > WIRE_USER_FRAMES_MAX)
        count = WIRE_USER_FRAMES_MAX;
    for (__u32 turn = 0; turn < WIRE_USER_FRAMES_MAX / WIRE_CHUNK_FRAMES && count; turn++) {
        __u32 taken = count > WIRE_CHUNK_FRAMES ? WIRE_CHUNK_FRAMES : count;
        count -= taken;
        id = stack__put_chunk(scratch->slot, first + count, taken, count ? 0 : status, id);
        if (id == WIRE_STACK_LOST) {
            tally__lose_some(WIRE_LOSS_STACKS_FULL, scratch->weight);
            return id;
        }
    }
    return id;
}

static __always_inline void count__add(struct wire_count *count, __u64 samples, __u64 value)
{
    __sync_fetch_and_add(&count->samples, samples);
    __sync_fetch_and_add(&count->value, value);
}

static __always_inline void *counts__find(__u32 set, const struct wire_count_key *key)
{
    return SET_LOOK_UP(set, counts, key);
}

// `samples` is 1; the weight of the sample, where the event is thinned; or 0, to add to the value of a sample that is
// counted already.
static __always_inline void counts__add(__u32 set, const struct wire_count_key *key, __u64 samples, __u64 value)
{
    struct wire_count *count = counts__find(set, key);
    if (count) {
        count__add(count, samples, value);
        return;
    }
    struct wire_count first = {.samples = samples, .value = value};
    long err = set ? bpf_map_update_elem(&counts_1, key, &first, BPF_NOEXIST)
                   : bpf_map_update_elem(&counts_0, key, &first, BPF_NOEXIST);
    if (err == 0) {
        control__note_entry(set, WIRE_FILL_COUNTS);
        return;
    }
    count = err == -EEXIST ? counts__find(set, key) : NULL; // another CPU was faster
    if (count)
        count__add(count, samples, value);
    else if (samples)
        tally__lose_some(WIRE_LOSS_COUNTS_FULL, samples);
}

static __always_inline __u64 stack__put_user(struct scratch *scratch, __u32 count, __u32 status)
{
    if (config.compare) {
        struct copy_beside beside = {.frames = scratch->frames, .count = count, .status = status};
        copy__send(scratch->set, scratch->weight, scratch->walk.returned_from, &beside);
    }
    if (status == WIRE_STACK_CUT)
        tally__lose_some(WIRE_LOSS_STACK_CUT, scratch->weight);
    else if (status > WIRE_STACK_CUT)
        tally__lose_some(WIRE_LOSS_STACK_BROKEN, scratch->weight);
    return stack__put(scratch, 0, count, status);
}

// The frame-pointer walk by the kernel's own helper: raw addresses, at most sysctl kernel.perf_event_max_stack of them.
static __always_inline __u64 stack__user_by_frame_pointers(void *ctx, struct scratch *scratch, __u64 returned_from)
{
    long bytes;
    if (returned_from)
        bytes = bpf_get_stack(ctx, scratch->frames + 1, sizeof(scratch->frames) - 8, BPF_F_USER_STACK);
    else
        bytes = bpf_get_stack(ctx, scratch->frames, sizeof(scratch->frames), BPF_F_USER_STACK);
    if (bytes <= 0)
        return WIRE_NO_STACK;
    __u32 count = (__u32)bytes / 8;
    if (returned_from) {
        scratch->frames[0] = returned_from;
        count++;
    }
    for (__u32 i = 1; i < WIRE_USER_FRAMES_MAX && i < count; i++)
        scratch->frames[i]--; // inside the call, not behind it
    __u32 status = count >= WIRE_KERNEL_FRAMES_MAX ? WIRE_STACK_CUT : WIRE_STACK_FRAME_POINTERS;
    return stack__put_user(scratch, count, status);
}

// The walk by unwind rows (bpf/unwind/unwind.bpf.h), and what became of it.
static __always_inline __u64 stack__user_by_rows(struct scratch *scratch, __u64 returned_from)
{
    scratch->walk.returned_from = returned_from;
    scratch->walk.tables_only = config.unwind == WIRE_UNWIND_TABLE;
    __u32 count = unwind__all(&scratch->walk, (struct unwind_frames *)scratch->frames);
    __u32 status = scratch->walk.status;
    if (count == 0) // a kernel thread
        return WIRE_NO_STACK;
    return stack__put_user(scratch, count, status);
}

static __always_inline __u64 stack__copy(struct scratch *scratch, __u64 returned_from)
{
    __u64 id = copy__send(scratch->set, scratch->weight, returned_from, NULL);
    if (id == WIRE_STACK_LOST)
        tally__lose_some(WIRE_LOSS_COPIES_FULL, scratch->weight);
    return id;
}

static __always_inline __u64 stack__user(void *ctx, struct scratch *scratch, __u64 returned_from)
{
    if (!config.user_stacks)
        return WIRE_NO_STACK;
    if (config.unwind == WIRE_UNWIND_COPY)
        return stack__copy(scratch, returned_from);
    return config.unwind == WIRE_UNWIND_FP ? stack__user_by_frame_pointers(ctx, scratch, returned_from)
                                           : stack__user_by_rows(scratch, returned_from);
}

#if KERNEL_FRAMES_SKIPPED
// More frames of the way into a tracepoint's program, which may be there or not (include/linux/tracepoint.h, static
// calls; include/trace/bpf_probe.h): __bpf_trace_NAME, where it does not end in a jump, and __traceiter_NAME, where the
// tracepoint has several programs to call, other tracers' too. They are told by name, once an address.
#define CALLERS_KNOWN 8

struct callers {
    __u64 on_the_way[CALLERS_KNOWN], others[CALLERS_KNOWN];
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct callers);
} own_callers SEC(".maps");

// Names are compared as words, for clang would call memcmp().
static __always_inline bool is_named_so(__u64 address)
{
    static const char format[] = "%ps";
    const __u64 tracei = 0x6965636172745f5f, ter = 0x726574, bpf_tr = 0x72745f6670625f5f, ace = 0x656361;
    __u64 name[2] = {0};
    bpf_snprintf((char *)name, sizeof("__traceiter"), format, &address, sizeof(address));
    return (name[0] == tracei && name[1] == ter) || (name[0] == bpf_tr && name[1] == ace);
}

static __always_inline bool is_on_the_way(__u64 address)
{
    __u32 zero = 0, place = (address >> 4 ^ address) & (CALLERS_KNOWN - 1);
    struct callers *callers = bpf_map_lookup_elem(&own_callers, &zero);
    if (!callers || callers->others[place] == address)
        return false;
    if (callers->on_the_way[place] == address)
        return true;
    bool is_so = is_named_so(address);
    if (is_so)
        callers->on_the_way[place] = address;
    else
        callers->others[place] = address;
    return is_so;
}
#else
static __always_inline bool is_on_the_way(__u64 address)
{
    return false;
}
#endif

// Leaves the frames in scratch->frames, and how many they are, with those left out.
static __always_inline __u64 stack__kernel(void *ctx, struct scratch *scratch, __u32 skipped, __u32 *ret_count)
{
    long bytes = bpf_get_stack(ctx, scratch->frames, WIRE_KERNEL_FRAMES_MAX * 8, skipped);
    // -EFAULT is what the helper says of an empty stack, too: a sample taken in user mode.
    if (bytes <= 0)
        return WIRE_NO_STACK;
    __u32 first = 0, count = (__u32)bytes / 8;
    if (skipped && count > 2 && is_on_the_way(scratch->frames[0]))
        first = is_on_the_way(scratch->frames[1]) ? 2 : 1;
    *ret_count = count;
    return stack__put(scratch, first, count - first, WIRE_STACK_WHOLE);
}

static __always_inline void key__fill(struct wire_count_key *key, const struct sample *sample)
{
    who__fill(who__current(), true, key);
    key->event = sample->event;
    key->bucket = sample->bucket;
    key->detail = sample->detail;
}

static __always_inline void tally__emit(__u32 weight)
{
    struct wire_tally *tally = tally__get();
    if (tally)
        __sync_fetch_and_add(&tally->emitted, weight);
}

// The key of a sample that is counted now or later: the current task, and its stacks.
static __always_inline void sample__fill(void *ctx, struct scratch *scratch, const struct sample *sample)
{
    scratch__choose_set(scratch);
    __u32 skipped = sample->is_interrupt ? 0 : KERNEL_FRAMES_SKIPPED, count;
    scratch->key.kernel_stack = config.kernel_stacks ? stack__kernel(ctx, scratch, skipped, &count) : WIRE_NO_STACK;
    scratch->key.user_stack = stack__user(ctx, scratch, sample->returned_from);
    key__fill(&scratch->key, sample);
}

// A sample that has passed the filter, and counts for `weight`.
static __always_inline void sample__count(void *ctx, const struct sample *sample, __u32 weight)
{
    __u64 begin_ns = bpf_ktime_get_ns();
    tally__emit(weight);
    struct scratch *scratch = scratch__take(weight);
    if (!scratch)
        return;
    sample__fill(ctx, scratch, sample);
    counts__add(scratch->set, &scratch->key, weight, weight * sample->value);
    scratch__give_back(scratch);
    pace__spend(sample->event, bpf_ktime_get_ns() - begin_ns);
}

static __always_inline int sample_emit(void *ctx, const struct sample *sample)
{
    if (!filter__passes())
        return 0;
    __u32 weight = pace__weight(sample->event, sample->is_periodic);
    if (weight)
        sample__count(ctx, sample, weight);
    return 0;
}

#endif
