// Whole user stacks without frame pointers, unwound where the event happens.
//
//   scratch->walk.tables_only = false;
//   count = unwind__all(&scratch->walk, &scratch->frames);     // WIRE_FRAME(binary, offset), or addresses; leaf first
//   status = scratch->walk.status;                             // enum wire_stack_status
//
// For each frame: the rule at its pc (bpf/unwind/unwind_find.bpf.h), and by the rule the caller's registers.
//
// Code without rows is followed by frame pointers, which JITs, Go and programs built so keep. Where others do not, they
// may skip frames or lead nowhere: a stack that was followed so is never called whole, even when it reaches its start.
#ifndef HEARTH_BPF_UNWIND_H
#define HEARTH_BPF_UNWIND_H

#include "bpf/arch/machine.bpf.h"
#include "bpf/unwind/guest.bpf.h"
#include "bpf/unwind/unwind_find.bpf.h"
#include "bpf/unwind/unwind_maps.bpf.h"
#include "bpf/unwind/unwind_uprobe.bpf.h"

#include <bpf/bpf_tracing.h>

static __always_inline __u8 unwind__end_status(const struct unwind_walk *walk)
{
    return walk->uncertain ? WIRE_STACK_FRAME_POINTERS : WIRE_STACK_WHOLE;
}

// Code without a rule. Returns whether the walk goes on.
static __always_inline __u32 unwind__follow_pointer(struct unwind_walk *walk)
{
    walk->status = WIRE_STACK_NO_ROWS;
    if (walk->tables_only || walk->code == UNWIND_CODE_UNKNOWN)
        return 0;
    __u8 was_by_pointer = walk->by_pointer;
    int outcome = unwind_step__frame_pointer(&walk->registers, !was_by_pointer);
    walk->uncertain = 1;
    // A zero ends a chain of frame pointers; without a chain it is just a zero.
    if (outcome == UNWIND_OUTERMOST && was_by_pointer)
        walk->status = unwind__end_status(walk);
    walk->before_call = walk->by_pointer = 1;
    return outcome == UNWIND_STEPPED;
}

static __always_inline __u8 unwind__status_of(const struct unwind_walk *walk, int outcome)
{
    switch (outcome) {
    case UNWIND_OUTERMOST:
        return unwind__end_status(walk);
    case UNWIND_UNREADABLE:
        return WIRE_STACK_UNREADABLE;
    case UNWIND_NO_RETURN:
        return WIRE_STACK_NO_RETURN;
    default:
        return WIRE_STACK_UNSUPPORTED;
    }
}

static __always_inline void unwind__end_without_mapping(struct unwind_walk *walk)
{
    struct task_struct *task = bpf_get_current_task_btf();
    // Where a frame pointer led to no code, it was none.
    walk->status = walk->by_pointer ? WIRE_STACK_NO_ROWS : WIRE_STACK_NO_MAPPING;
    walk->frame = walk->before_call ? 0 : walk->pc;
    // In the middle of execve the old stack is gone, and the new one not there yet: there is none.
    if (!walk->before_call && BPF_CORE_READ_BITFIELD_PROBED(task, in_execve)) {
        walk->status = WIRE_STACK_WHOLE;
        walk->frame = 0;
    }
}

// One frame: leaves it in walk->frame (0: none) and moves the registers to its caller. Returns whether there is more.
static __always_inline __u32 unwind__find_caller(struct unwind_walk *walk)
{
    walk->pc = walk->registers.ip - walk->before_call;
    if (!unwind__find(walk)) {
        unwind__end_without_mapping(walk);
        return 0;
    }
    int outcome = UNWIND_NO_RULE;
    if (UNWIND_KIND_OF(walk->rule.kind) != UNWIND_GAP)
        outcome = unwind_step__apply(&walk->registers, walk->rule);
    if (outcome == UNWIND_NO_RULE) {
        if (!unwind__follow_pointer(walk))
            return 0;
    } else if (outcome > UNWIND_INTERRUPTED) {
        walk->status = unwind__status_of(walk, outcome);
        return 0;
    } else {
        walk->before_call = outcome == UNWIND_STEPPED;
        walk->by_pointer = 0;
    }
    if (walk->registers.ip - walk->trampoline < UPROBE_PAGE_BYTES)
        unwind__undo_uprobe(walk);
    return 1;
}

// The same as a function that the verifier checks once, for loops that put no frames.
__noinline __u32 unwind__frame(struct unwind_walk *walk)
{
    return walk ? unwind__find_caller(walk) : 0;
}

// Takes this CPU's caches, and finds the process in them or begins anew.
static __always_inline void unwind__take_caches(struct unwind_walk *walk, struct mm_struct *mm)
{
    __u32 number = bpf_get_smp_processor_id(), zero = 0;
    struct unwind_cpu *cpu = bpf_map_lookup_elem(&unwind_cpus, &number);
    struct wire_unwind_control *shared = bpf_map_lookup_elem(&unwind_control, &zero);
    walk->cpu = UNWIND_NO_CPU;
    if (!cpu || !shared || __sync_val_compare_and_swap(&cpu->taken, 0, 1) != 0)
        return;
    __u32 tgid = walk->tgid, generation = *(volatile __u32 *)&shared->generation;
    walk->cpu = number;
    walk->process = tgid & (UNWIND_PROCESSES - 1);
    struct unwind_process *process = &cpu->processes[walk->process & (UNWIND_PROCESSES - 1)];
    if (process->tgid != tgid || process->mm != (__u64)mm || process->exec_vm != mm->exec_vm ||
        process->mmap_base != mm->mmap_base || process->start_stack != mm->start_stack ||
        process->generation != generation) {
        process->tgid = tgid;
        process->mm = (__u64)mm;
        process->exec_vm = mm->exec_vm;
        process->mmap_base = mm->mmap_base;
        process->start_stack = mm->start_stack;
        process->generation = generation;
        process->epoch = ++cpu->epoch;
        process->next = 0;
        for (__u32 i = 0; i < UNWIND_MAPPINGS; i++)
            process->mappings[i].start = process->mappings[i].end = 0;
    }
    walk->epoch = process->epoch;
}

// Programs of uprobes themselves: they run where the instruction pointer is right.
#ifndef UNWIND_AT_UPROBE
#define UNWIND_AT_UPROBE 0
#endif

#if !UNWIND_AT_UPROBE
// Whether a call ends right before an address.
static __always_inline bool unwind__is_behind_call(__u64 address)
{
    __u8 code[8];
    return unwind_read(code, sizeof(code), address - sizeof(code)) == 0 && code__ends_in_call(code);
}

// A sample amid the handling of a uprobe: its breakpoint has been executed, the instruction in whose place it stands
// has not. The instruction pointer is behind the breakpoint, where the row for a push of one byte counts what is not on
// the stack yet. With the row before it there is a return address where that row says.
__noinline __u32 unwind__step_back(struct unwind_walk *walk)
{
    __u8 code = 0;
    __u64 address;
    if (!walk || unwind_read(&code, sizeof(code), walk->registers.ip - 1) != 0 || code != CODE_BREAKPOINT)
        return 0;
    walk->pc = walk->registers.ip - 1;
    if (!unwind__find(walk) || UNWIND_KIND_OF(walk->rule.kind) != UNWIND_SP ||
        unwind_read(&address, sizeof(address), walk->registers.sp + (__s64)walk->rule.cfa_offset - 8) != 0)
        return 0;
    // A uretprobe's trampoline is put there later, in the same handling.
    if (address - walk->trampoline >= UPROBE_PAGE_BYTES && !unwind__is_behind_call(address))
        return 0;
    walk->registers.ip--;
    return 1;
}
#endif

// From the user registers of a task, which are right also where it runs in the kernel; without caches. 0: it has no
// user stack, or none that is unwound here (walk->status says).
static __always_inline __u32 unwind__start_at(struct unwind_walk *walk, struct task_struct *task,
                                              const struct mm_struct *mm)
{
    walk->cpu = UNWIND_NO_CPU;
    walk->frame = 0;
    walk->status = WIRE_STACK_WHOLE;
    if (!mm) // a kernel thread
        return 0;
    struct pt_regs *user = (struct pt_regs *)bpf_task_pt_regs(task);
    walk->tgid = task->tgid;
    bool is_compat = registers__is_compat(user);
    walk->registers.ip = PT_REGS_IP(user);
    if (is_compat) {
        walk->frame = PT_REGS_IP(user);
        walk->status = WIRE_STACK_COMPAT;
        return 0;
    }
    walk->registers.sp = PT_REGS_SP(user);
    walk->registers.bp = PT_REGS_FP(user);
    walk->registers.bx = registers__bx(user);
    walk->registers.bp_at = walk->registers.bx_at = 0;
    walk->mm = (__u64)mm;
    walk->mapping.start = walk->mapping.end = 0;
    walk->before_call = walk->by_pointer = walk->uncertain = 0;
    walk->return_instance = 0;
    walk->trampoline = ~0ull;
    walk->met_guest = walk->guest.kind = 0;
    return 1;
}

// The current task, with all that is known of it.
static __always_inline __u32 unwind__start(struct unwind_walk *walk)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct mm_struct *mm = task->mm;
    if (!unwind__start_at(walk, task, mm))
        return 0;
    struct xol_area *area = mm->uprobes_state.xol_area;
    walk->trampoline = area ? area->vaddr : ~0ull;
    unwind__take_caches(walk, mm);
    if (walk->registers.ip - walk->trampoline < UPROBE_PAGE_BYTES)
        unwind__undo_uprobe(walk);
#if !UNWIND_AT_UPROBE
    else if (BPF_CORE_READ(task, utask)) // the thread has hit a probe before
        unwind__step_back(walk);
#endif
    return 1;
}

static __always_inline void unwind__give_caches_back(const struct unwind_walk *walk)
{
    struct unwind_cpu *cpu = unwind__cpu(walk);
    if (cpu)
        __sync_lock_test_and_set(&cpu->taken, 0);
}

// Puts the function that has returned before its caller. How many frames that is.
static __always_inline __u32 unwind__put_returned(struct unwind_walk *walk, struct unwind_frames *frames)
{
    if (!walk->returned_from)
        return 0;
    walk->before_call = 1; // the registers hold a return address
    walk->pc = walk->returned_from;
    if (!unwind__find(walk))
        return 0;
    frames->at[0] = walk->frame;
    return 1;
}

// One native frame, behind those that were put. Returns whether there is more.
__noinline __u32 unwind__put_frame(struct unwind_walk *walk, struct unwind_frames *frames)
{
    if (!walk || !frames)
        return 0;
    __u32 at = walk->count;
    walk->guest.low = walk->registers.sp;
    __u32 goes_on = unwind__find_caller(walk);
    if (at >= WIRE_USER_FRAMES_MAX) {
        walk->status = WIRE_STACK_CUT;
        return 0;
    }
    frames->at[at] = walk->frame;
    walk->count = walk->frame ? at + 1 : at;
    return goes_on;
}

// From frames->at[count] on; how many frames there are then. Leaves how the stack ended in walk->status. The count is
// in memory, since guests put frames too.
static __always_inline __u32 unwind__follow(struct unwind_walk *walk, struct unwind_frames *frames, __u32 count)
{
    walk->count = count;
    for (__u32 turn = 0; turn <= WIRE_USER_FRAMES_MAX; turn++) {
        if (!unwind__put_frame(walk, frames))
            break;
#ifndef UNWIND_HAS_READ // the memory of another process, which is not all there
        if (walk->rule.kind & UNWIND_GUEST)
            guest__expand(walk, frames);
#endif
    }
    return walk->count;
}

// The whole stack of the current task, as unwind__follow() has it.
__noinline __u32 unwind__all(struct unwind_walk *walk, struct unwind_frames *frames)
{
    if (!walk || !frames)
        return 0;
    __u32 goes_on = unwind__start(walk);
    frames->at[0] = walk->frame;
    if (!goes_on)
        return walk->frame != 0;
    __u32 count = unwind__put_returned(walk, frames);
    count = unwind__follow(walk, frames, count);
    unwind__give_caches_back(walk);
    return count;
}

#endif
