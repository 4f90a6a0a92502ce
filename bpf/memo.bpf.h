// Stacks met before, known again without unwinding them: for sources that take a stack at each context switch, where
// threads wait again and again at the places they waited at before.
//
//   memo__fill(ctx, scratch, &sample);      as sample__fill(), and the cheaper the more often a stack comes again
//
// A stack is a chain: where the stack pointer is and which code runs says where the return address is, and that one
// says the same for the next. So where the stack pointer and the innermost address are those of a stack that was
// unwound before, and every place that held a return address of it holds the same one now, the chain is the same, link
// by link, and so is the stack's id. Reading those places is all there is to do.
//
//   user    The places are those of an unwinding of ours. Where rules need the frame pointer, what it was saved as is
//   compared too. kernel  The places are not told by the helper that unwinds: they are looked for on the stack, among
//   what calls
//           before have left there. Each frame is at its first place behind the one before, or above, and at its last
//           place, or below; from one time to the next these bounds close in, until there is but one way to see the
//           frames there. The outermost, which the entry code calls from, is counted from the stack's begin: before it
//           a system call leaves a gap of random size (CONFIG_RANDOMIZE_KSTACK_OFFSET).
//
// A stack that comes for the second time in a row is learned; one that cannot be is tried ever more rarely. The table
// is a CPU's own and of fixed size; a new stack takes the place of an old one. Stacks that are not whole, deeper than
// MEMO_FRAMES, with a signal's frame, of threads that have hit a uprobe, or with the loop of a guest, whose return
// addresses do not tell its functions apart, are never in it.
#ifndef HEARTH_BPF_MEMO_H
#define HEARTH_BPF_MEMO_H

#include "bpf/sample.bpf.h"

#define MEMO_FRAMES  24
#define MEMO_ENTRIES 128 // a CPU: 111 KiB
#define MEMO_TRIES   64  // in a row, of a stack
#define MEMO_WORDS   256 // of the kernel's stack that are looked through: 2 KiB

struct memo_pair {
    __u64 below, address; // as unwind_step__return() reads them
};

struct memo_key { // where the thread entered the kernel
    __u64 ip, sp, mm;
    __u64 system_call;
    __u64 tgid;
};

struct memo {
    struct memo_key key;
    __u32 flips;           // when both stacks were put into the set
    __u16 is_other_recent; // of two places, in the first: the second was used last
    __u16 misses;          // in this set: met, but not learned yet
    struct {
        __u64 id;
        __u32 count; // of places; 0: not learned yet
        __u16 has_bounds;
        __u16 gap_low, gap_high;                   // words from the last place to the registers at the stack's begin
        __u16 low[MEMO_FRAMES], high[MEMO_FRAMES]; // of the others, in words above the program's context, which lies on
                                                   // the stack
        __u64 addresses[MEMO_FRAMES];
    } kernel;
    struct {
        __u64 exec_vm, mmap_base, start_stack; // as in struct unwind_process
        __u64 bp;
        __u64 id;
        __u32 generation;
        __u16 count; // of places; 0: not learned yet
        __u16 uses_bp;
        __s32 places[MEMO_FRAMES]; // of the pairs, in bytes above sp
        struct memo_pair pairs[MEMO_FRAMES];
    } user;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, MEMO_ENTRIES);
    __type(key, __u32);
    __type(value, struct memo);
} own_memos SEC(".maps");

// Whether to try to learn: at each of the first misses, then at the 128th, the 256th and so on. Words that calls before
// have left on a stack may hinder it, and be overwritten later.
static __always_inline bool memo__is_due(const struct memo *memo)
{
    return memo->misses < MEMO_TRIES || !(memo->misses & (memo->misses - 1));
}

// --- The kernel's half

// `here` is the address of the program's context, `begin` that of the registers where the thread entered the kernel.
__noinline __u32 memo__kernel_is_same(__u32 entry, __u64 here, __u64 begin)
{
    struct memo *memo = bpf_map_lookup_elem(&own_memos, &entry);
    if (!memo)
        return 0;
    for (__u32 i = 0; i < MEMO_FRAMES && i < memo->kernel.count; i++) {
        __u64 address, place = here + 8 * memo->kernel.low[i];
        if (i + 1 == memo->kernel.count)
            place = begin - 8 * memo->kernel.gap_low;
        if (bpf_probe_read_kernel(&address, sizeof(address), (void *)place) != 0 ||
            address != memo->kernel.addresses[i])
            return 0;
    }
    return memo->kernel.count;
}

static __always_inline void memo__forget_bounds(struct memo *memo)
{
    for (__u32 i = 0; i < MEMO_FRAMES; i++) {
        memo->kernel.low[i] = 0;
        memo->kernel.high[i] = MEMO_WORDS;
    }
    memo->kernel.gap_low = 0;
    memo->kernel.gap_high = MEMO_WORDS;
}

// One word of the stack, in a function of its own for the verifier's sake: whether it is the frame that is looked for,
// upwards the first that has no place yet, downwards the last that has not been met again.
__noinline __u32 memo__look_at(__u32 slot, __u32 entry, __u32 place, __u32 count, __u32 is_downwards)
{
    struct scratch *scratch = bpf_map_lookup_elem(&own_scratch, &slot);
    struct memo *memo = bpf_map_lookup_elem(&own_memos, &entry);
    if (!scratch || !memo || place >= MEMO_WORDS)
        return 0;
    __u32 frame = is_downwards ? scratch->walk.cell - 1 : scratch->walk.cell, gap = scratch->walk.process - place;
    __u64 word = scratch->frames[WIRE_USER_FRAMES_MAX - MEMO_WORDS + place];
    if (frame >= count || frame >= MEMO_FRAMES || word != scratch->frames[frame])
        return 0;
    bool is_last = frame + 1 == count;
    if (is_downwards) {
        if (is_last ? gap < memo->kernel.gap_low : place > memo->kernel.high[frame])
            return 0;
        if (is_last)
            memo->kernel.gap_low = gap;
        else
            memo->kernel.high[frame] = place;
        scratch->walk.cell = frame;
        return 0;
    }
    if (is_last ? gap > memo->kernel.gap_high : place < memo->kernel.low[frame])
        return 0;
    if (is_last)
        memo->kernel.gap_high = gap;
    else
        memo->kernel.low[frame] = place;
    memo->kernel.addresses[frame] = word;
    scratch->walk.cell = frame + 1;
    return 0;
}

// Looks for the frames scratch->frames[0..count) among the words of the stack above `here`, and brings their bounds
// nearer. Where they cross, the frames are not always at the same places: then all begins anew.
__noinline __u32 memo__learn_kernel(__u32 slot, __u32 entry, __u32 count, __u64 here, __u64 begin)
{
    struct scratch *scratch = bpf_map_lookup_elem(&own_scratch, &slot);
    struct memo *memo = bpf_map_lookup_elem(&own_memos, &entry);
    __u64 words = (begin - here) / 8;
    if (!scratch || !memo || count < 1 || count > MEMO_FRAMES || words > MEMO_WORDS ||
        bpf_probe_read_kernel(scratch->frames + WIRE_USER_FRAMES_MAX - MEMO_WORDS, words * 8, (void *)here) != 0)
        return 0;
    if (!memo->kernel.has_bounds)
        memo__forget_bounds(memo);
    memo->kernel.has_bounds = 0;
    // Read anew each time: what the verifier learned at one turn's end would make the rest another program to it.
    volatile __u32 *end = &scratch->walk.process, *next = &scratch->walk.cell;
    *end = words;
    *next = 0;
    for (__u32 i = 0; i < MEMO_WORDS && i < *end; i++)
        memo__look_at(slot, entry, i, count, false);
    if (*next != count)
        return 0;
    for (__u32 i = 0; i < MEMO_WORDS && i < *end; i++)
        memo__look_at(slot, entry, *end - 1 - i, count, true);
    if (*next != 0)
        return 0;
    memo->kernel.has_bounds = 1;
    if (memo->kernel.gap_low != memo->kernel.gap_high)
        return 0;
    for (__u32 i = 0; i < MEMO_FRAMES; i++)
        if (i + 1 < count && memo->kernel.low[i] != memo->kernel.high[i])
            return 0;
    memo->kernel.count = count;
    return 1;
}

static __always_inline __u64 memo__kernel(void *ctx, struct scratch *scratch, struct memo *memo, __u32 entry)
{
    volatile __u64 *number = &scratch->walk.pc; // a pointer that went through memory is just a number
    *number = (__u64)ctx;
    __u64 here = *number;
    *number = (__u64)bpf_task_pt_regs(bpf_get_current_task_btf());
    __u64 begin = *number;
    if (memo->flips == scratch->flips && memo->kernel.count && memo__kernel_is_same(entry, here, begin))
        return memo->kernel.id;
    __u32 count = 0;
    __u64 id = stack__kernel(ctx, scratch, KERNEL_FRAMES_SKIPPED, &count);
    if (memo->kernel.id != id) {
        memo->kernel.count = memo->kernel.has_bounds = 0;
    } else if (!memo->kernel.count && memo__is_due(memo) && id != WIRE_STACK_LOST) {
        memo__learn_kernel(scratch->slot, entry, count, here, begin);
    }
    memo->kernel.id = id;
    return id;
}

// --- The user's half

__noinline __u32 memo__user_is_same(__u32 entry)
{
    struct memo *memo = bpf_map_lookup_elem(&own_memos, &entry);
    if (!memo)
        return 0;
    for (__u32 i = 0; i < MEMO_FRAMES && i < memo->user.count; i++) {
        struct memo_pair pair;
        if (unwind_read(&pair, sizeof(pair), memo->key.sp + memo->user.places[i]) != 0 ||
            pair.address != memo->user.pairs[i].address ||
            (memo->user.uses_bp && pair.below != memo->user.pairs[i].below))
            return 0;
    }
    return memo->user.count;
}

// Notes in the memo the step that was just made. Returns whether its stack can be known again at all.
static __always_inline bool memo__allows(const struct unwind_walk *walk, struct memo *memo, bool *bp_is_elsewhere)
{
    __u32 kind = UNWIND_KIND_OF(walk->rule.kind), bp = UNWIND_BP_OF(walk->rule.kind);
    if (kind == UNWIND_BP) {
        memo->user.uses_bp = 1;
        if (*bp_is_elsewhere)
            return false;
    } else if (kind != UNWIND_SP && kind != UNWIND_PLT) {
        return false;
    }
    if (bp == UNWIND_BP_AT_BP || bp == UNWIND_BP_LOST || (bp == UNWIND_BP_AT_CFA && walk->rule.bp_offset != -16))
        *bp_is_elsewhere = true;
    return true;
}

// Unwinds once more, for the places.
__noinline __u32 memo__learn_user(struct unwind_walk *walk, __u32 entry)
{
    struct memo *memo = bpf_map_lookup_elem(&own_memos, &entry);
    if (!walk || !memo || !unwind__start(walk))
        return 0;
    bool bp_is_elsewhere = false;
    __u32 count = 0, goes_on = 1;
    memo->user.uses_bp = 0;
    for (__u32 i = 0; i < MEMO_FRAMES && goes_on; i++) {
        goes_on = unwind__frame(walk);
        if (!goes_on && UNWIND_KIND_OF(walk->rule.kind) == UNWIND_END)
            break;
        __s64 place = walk->registers.sp - 16 - memo->key.sp;
        if (!memo__allows(walk, memo, &bp_is_elsewhere) || place != (__s32)place ||
            unwind_read(&memo->user.pairs[i], sizeof(memo->user.pairs[i]), walk->registers.sp - 16) != 0) {
            goes_on = 1; // not to its end
            break;
        }
        memo->user.places[i] = place;
        count = i + 1;
    }
    unwind__give_caches_back(walk);
    if (!goes_on && walk->status == WIRE_STACK_WHOLE && !walk->uncertain)
        memo->user.count = count;
    else
        memo->user.uses_bp = 0;
    return 1;
}

static __always_inline bool memo__is_of(const struct memo *memo, const struct mm_struct *mm, __u32 generation)
{
    return memo->user.exec_vm == mm->exec_vm && memo->user.mmap_base == mm->mmap_base &&
           memo->user.start_stack == mm->start_stack && memo->user.generation == generation;
}

static __always_inline __u64 memo__user(void *ctx, struct scratch *scratch, struct memo *memo, __u32 entry)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct mm_struct *mm = task->mm;
    __u32 zero = 0;
    struct wire_unwind_control *shared = bpf_map_lookup_elem(&unwind_control, &zero);
    if (!mm)
        return WIRE_NO_STACK;
    if (!shared || config.compare || config.unwind > WIRE_UNWIND_TABLE || task->utask) {
        memo->user.count = 0; // its stack is not put into the set now
        return stack__user(ctx, scratch, 0);
    }
    struct pt_regs *user = (struct pt_regs *)bpf_task_pt_regs(task);
    __u32 generation = *(volatile __u32 *)&shared->generation;
    bool is_known = memo__is_of(memo, mm, generation);
    bool has_other_bp = memo->user.uses_bp && memo->user.bp != PT_REGS_FP(user);
    if (is_known && !has_other_bp && memo->flips == scratch->flips && memo->user.count && memo__user_is_same(entry))
        return memo->user.id;
    __u64 id = stack__user(ctx, scratch, 0);
    if (!is_known || memo->user.id != id) {
        memo->user.exec_vm = mm->exec_vm;
        memo->user.mmap_base = mm->mmap_base;
        memo->user.start_stack = mm->start_stack;
        memo->user.generation = generation;
        memo->user.count = memo->user.uses_bp = 0;
    } else if (has_other_bp) {
        memo->user.count = memo->user.uses_bp = 0;
    } else if (!memo->user.count && memo__is_due(memo) && id != WIRE_STACK_LOST &&
               scratch->walk.status == WIRE_STACK_WHOLE && !scratch->walk.met_guest) {
        memo->user.bp = PT_REGS_FP(user);
        memo__learn_user(&scratch->walk, entry);
    }
    memo->user.id = id;
    return id;
}

static __always_inline bool memo__is_key(const struct memo *memo, const struct memo_key *key)
{
    return memo->key.ip == key->ip && memo->key.sp == key->sp && memo->key.mm == key->mm &&
           memo->key.system_call == key->system_call && memo->key.tgid == key->tgid;
}

static __always_inline void memo__key(struct memo_key *key)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct pt_regs *user = (struct pt_regs *)bpf_task_pt_regs(task);
    __u64 ids = bpf_get_current_pid_tgid();
    key->mm = (__u64)task->mm;
    key->tgid = ids >> 32;
    // A kernel thread has no such registers.
    key->ip = key->mm ? PT_REGS_IP(user) : 0;
    key->sp = key->mm ? PT_REGS_SP(user) : ids;
    key->system_call = key->mm ? registers__system_call(user) : 0;
}

// The memo of where the current thread entered the kernel. Two entries may hold it; a new one takes the entry that was
// not used last.
static __always_inline struct memo *memo__find(__u32 *ret_entry)
{
    struct memo_key key;
    memo__key(&key);
    __u64 hash = (key.sp ^ key.ip * 0x9e3779b97f4a7c15ull) * 0x9fb21c651e98df25ull;
    __u32 entry = hash >> 57 & ~1u; // MEMO_ENTRIES is 2^7
    struct memo *first = bpf_map_lookup_elem(&own_memos, &entry);
    *ret_entry = entry;
    if (!first || memo__is_key(first, &key)) {
        if (first)
            first->is_other_recent = 0;
        return first;
    }
    entry++;
    struct memo *other = bpf_map_lookup_elem(&own_memos, &entry);
    if (!other)
        return NULL;
    bool is_other = memo__is_key(other, &key) || !first->is_other_recent;
    first->is_other_recent = is_other;
    if (is_other)
        *ret_entry = entry;
    struct memo *memo = is_other ? other : first;
    if (memo__is_key(memo, &key))
        return memo;
    memo->key = key;
    memo->kernel.count = memo->kernel.has_bounds = memo->user.count = 0;
    memo->misses = 0;
    memo->kernel.id = memo->user.id = WIRE_STACK_LOST;
    return memo;
}

static __always_inline void memo__fill(void *ctx, struct scratch *scratch, const struct sample *sample)
{
    __u32 entry;
    // A program that interrupts another one leaves its table alone.
    struct memo *memo = scratch->slot ? NULL : memo__find(&entry);
    if (!memo) {
        sample__fill(ctx, scratch, sample);
        return;
    }
    scratch__choose_set(scratch);
    if (memo->flips != scratch->flips)
        memo->misses = 0;
    scratch->key.kernel_stack = config.kernel_stacks ? memo__kernel(ctx, scratch, memo, entry) : WIRE_NO_STACK;
    scratch->key.user_stack = config.user_stacks ? memo__user(ctx, scratch, memo, entry) : WIRE_NO_STACK;
    memo->flips = scratch->flips;
    if (memo->misses < 0xffff && (!memo->kernel.count || !memo->user.count))
        memo->misses++;
    key__fill(&scratch->key, sample);
}

#endif
