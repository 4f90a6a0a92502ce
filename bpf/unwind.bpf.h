// Whole user stacks without frame pointers, unwound where the event happens.
//
//   scratch->walk.tables_only = false;
//   count = unwind__all(&scratch->walk, &scratch->frames);     // WIRE_FRAME(binary, offset), or addresses; leaf first
//   status = scratch->walk.status;                             // enum wire_stack_status
//
// For each frame: the mapping of its pc, the binary of the mapping, the row of the binary, the row's rule, and by the
// rule the caller's registers. Two caches stand in front, both a CPU's own: frames by (process, pc), so that the outer
// frames of busy programs cost one look-up each; and the mappings of a process. Both forget a process when its
// mappings or the collector's tables change (struct unwind_process).
//
// Code without rows is followed by frame pointers, which JITs, Go and programs built so keep. Where others do not, they
// may skip frames or lead nowhere: a stack that was followed so is never called whole, even when it reaches its start.
#ifndef HEARTH_BPF_UNWIND_H
#define HEARTH_BPF_UNWIND_H

#include "bpf/unwind_maps.bpf.h"
#include "bpf/unwind_uprobe.bpf.h"
#include "bpf/unwind_vma.bpf.h"

#include <bpf/bpf_tracing.h>

#define USER_CS_64 0x33 // arch/x86/include/asm/segment.h: __USER_CS

static __always_inline struct unwind_cpu *unwind__cpu(const struct unwind_walk *walk)
{
    __u32 cpu = walk->cpu;
    return cpu == UNWIND_NO_CPU ? NULL : bpf_map_lookup_elem(&unwind_cpus, &cpu);
}

// The file behind a mapping, as the collector knows files. The vDSO, which has no file, is the file 0:0:1.
static __always_inline void unwind__identify(struct vm_area_struct *vma, struct wire_file *ret_file)
{
    struct inode *inode = BPF_CORE_READ(vma, vm_file, f_inode);
    ret_file->inode = BPF_CORE_READ(inode, i_ino);
    ret_file->device = BPF_CORE_READ(inode, i_sb, s_dev);
    ret_file->generation = BPF_CORE_READ(inode, i_generation);
}

// Text that a program has moved to anonymous memory, for huge pages, stands in a hole of its file's mappings: before
// and behind walk->mapping is the same file, and what lies between them is as long in the file as in memory. The
// mapping before it, or 0: the memory is a JIT's.
static __always_inline __u64 unwind__moved_from(struct unwind_walk *walk)
{
    __u64 pc = walk->pc;
    walk->pc = walk->mapping.start - 1;
    struct vm_area_struct *before = (void *)vma__find(walk);
    walk->pc = walk->mapping.end;
    struct vm_area_struct *behind = (void *)vma__find(walk);
    walk->pc = pc;
    struct inode *inode = before ? BPF_CORE_READ(before, vm_file, f_inode) : NULL;
    if (!inode || !behind || BPF_CORE_READ(behind, vm_file, f_inode) != inode)
        return 0;
    __u64 pages = (BPF_CORE_READ(behind, vm_start) - BPF_CORE_READ(before, vm_start)) >> 12;
    return BPF_CORE_READ(behind, vm_pgoff) - BPF_CORE_READ(before, vm_pgoff) == pages ? (__u64)before : 0;
}

// Announces a file, once: the entry made here keeps other samples from doing it again, until the collector answers by
// filling it in, or takes it away.
static __always_inline void unwind__announce(__u32 kind, const struct unwind_walk *walk, const struct wire_file *file,
                                             const struct vm_area_struct *vma)
{
    struct wire_binary pending = {};
    if (bpf_map_update_elem(&files, file, &pending, BPF_NOEXIST) != 0)
        return;
    struct wire_note *note = bpf_ringbuf_reserve(&notes, sizeof(*note), 0);
    if (!note) {
        bpf_map_delete_elem(&files, file);
        tally__lose(WIRE_LOSS_NOTES_FULL);
        return;
    }
    note->kind = kind;
    note->tgid = walk->tgid;
    note->file = *file;
    note->start = BPF_CORE_READ(vma, vm_start);
    note->end = BPF_CORE_READ(vma, vm_end);
    note->file_offset = BPF_CORE_READ(vma, vm_file) ? BPF_CORE_READ(vma, vm_pgoff) << 12 : 0;
    bpf_ringbuf_submit(note, 0);
}

// Announces a process with code that no file holds, so that what it leaves about that is opened while it lives. Only
// the current one: others, whose threads wait, are met when they are drained.
static __always_inline void unwind__announce_jit(const struct unwind_walk *walk, struct wire_file *file,
                                                 const struct vm_area_struct *vma)
{
    if (walk->tgid != bpf_get_current_pid_tgid() >> 32)
        return;
    file->inode = bpf_get_current_task_btf()->group_leader->start_boottime;
    file->device = walk->tgid;
    file->generation = WIRE_JIT_GENERATION;
    if (!bpf_map_lookup_elem(&files, file))
        unwind__announce(WIRE_NOTE_JIT, walk, file, vma);
}

// Fills walk->mapping from the process's tree. 0: there is no executable mapping at walk->pc.
__noinline __u32 unwind__learn_mapping(struct unwind_walk *walk)
{
    if (!walk)
        return 0;
    struct unwind_mapping *mapping = &walk->mapping;
    struct mm_struct *mm = (void *)walk->mm;
    struct vm_area_struct *vma = (void *)vma__find(walk);
    mapping->start = mapping->end = 0;
    if (!vma || !(BPF_CORE_READ(vma, vm_flags) & VM_EXEC))
        return 0;
    mapping->start = mapping->frame = BPF_CORE_READ(vma, vm_start);
    mapping->end = BPF_CORE_READ(vma, vm_end);
    mapping->table = 0;
    mapping->code = UNWIND_CODE_JIT;
    struct wire_file file = {.generation = WIRE_VDSO_GENERATION};
    __u64 file_offset = 0;
    if (!BPF_CORE_READ(vma, vm_file) && mapping->start != (__u64)BPF_CORE_READ(mm, context.vdso)) {
        if (unwind__is_uprobe_page(mm, mapping->start)) {
            mapping->code = UNWIND_CODE_UPROBE;
            return 1;
        }
        struct vm_area_struct *jit = vma;
        vma = (void *)unwind__moved_from(walk);
        if (!vma) {
            unwind__announce_jit(walk, &file, jit);
            return 1;
        }
    }
    if (BPF_CORE_READ(vma, vm_file)) {
        unwind__identify(vma, &file);
        file_offset = (BPF_CORE_READ(vma, vm_pgoff) << 12) + (mapping->start - BPF_CORE_READ(vma, vm_start));
    }
    mapping->code = UNWIND_CODE_UNKNOWN;
    struct wire_binary *binary = bpf_map_lookup_elem(&files, &file);
    if (!binary) {
        unwind__announce(WIRE_NOTE_BINARY, walk, &file, vma);
    } else if (binary->table == WIRE_TABLE_JIT) {
        mapping->code = UNWIND_CODE_JIT;
        unwind__announce_jit(walk, &file, vma);
    } else if (binary->binary) {
        mapping->frame = WIRE_FRAME(binary->binary, file_offset);
        mapping->table = binary->table;
        mapping->code = UNWIND_CODE_BINARY;
    }
    return 1;
}

// Fills walk->mapping for walk->pc: the one of the frame before, or one the process is known to have, or a new one.
static __always_inline __u32 unwind__find_mapping(struct unwind_walk *walk)
{
    __u64 pc = walk->pc;
    if (pc - walk->mapping.start < walk->mapping.end - walk->mapping.start)
        return 1;
    struct unwind_cpu *cpu = unwind__cpu(walk);
    if (!cpu)
        return unwind__learn_mapping(walk);
    struct unwind_process *process = &cpu->processes[walk->process & (UNWIND_PROCESSES - 1)];
    for (__u32 i = 0; i < UNWIND_MAPPINGS; i++)
        if (pc - process->mappings[i].start < process->mappings[i].end - process->mappings[i].start) {
            walk->mapping = process->mappings[i];
            return 1;
        }
    if (!unwind__learn_mapping(walk))
        return 0;
    process->mappings[process->next++ & (UNWIND_MAPPINGS - 1)] = walk->mapping;
    return 1;
}

static __always_inline struct unwind_block *unwind__block(void *table, __u32 word)
{
    __u32 block = word / UNWIND_BLOCK_WORDS;
    return bpf_map_lookup_elem(table, &block);
}

// The number of the rule in force at an offset, by walk->mapping.table; 0: UNWIND_GAP.
static __always_inline __u32 unwind__rule_number(struct unwind_walk *walk, __u32 table_number, __u64 offset)
{
    __u32 *used = bpf_map_lookup_elem(&unwind_uses, &table_number);
    if (used && !*used)
        *used = 1;
    void *table = bpf_map_lookup_elem(&unwind_tables, &table_number);
    struct unwind_block *block = table ? unwind__block(table, 0) : NULL;
    if (!block)
        return 0;
    const struct unwind_head *head = (const struct unwind_head *)block->words;
    __u64 distance = offset - head->base;
    __u32 shift = head->shift & 31;
    if (offset < head->base || distance >> shift >= head->granules)
        return 0;
    __u32 index = UNWIND_HEAD_WORDS + (__u32)(distance >> shift);
    if (index >= UNWIND_BLOCK_WORDS && !(block = unwind__block(table, index)))
        return 0;
    __u32 run = block->words[index & (UNWIND_BLOCK_WORDS - 1)];
    if (!(block = unwind__block(table, run)))
        return 0;
    __u32 place = (__u32)distance & ((1u << shift) - 1);
    __u32 low = run & (UNWIND_BLOCK_WORDS - 1), high = low + UNWIND_ROW_PLACE(block->words[low]);
    if (high >= UNWIND_BLOCK_WORDS) { // the run goes on in the next block
        struct unwind_block *next = unwind__block(table, run + UNWIND_BLOCK_WORDS);
        if (next && UNWIND_ROW_PLACE(next->words[0]) <= place) {
            block = next;
            low = 0;
            high &= UNWIND_BLOCK_WORDS - 1;
        } else {
            high = UNWIND_BLOCK_WORDS - 1;
        }
    }
    return UNWIND_ROW_RULE(block->words[unwind_step__search(block->words, low, high, place, &walk->cell)]);
}

// Everything about walk->pc without the cache of frames: walk->frame, code and rule. 0: no mapping.
__noinline __u32 unwind__look_up(struct unwind_walk *walk)
{
    if (!walk || !unwind__find_mapping(walk))
        return 0;
    const struct unwind_mapping *mapping = &walk->mapping;
    walk->frame = mapping->frame + (walk->pc - mapping->start);
    walk->code = mapping->code;
    *(__u64 *)&walk->rule = 0; // UNWIND_GAP
    if (mapping->code == UNWIND_CODE_UPROBE)
        walk->rule = unwind__uprobe_rule(walk->pc - mapping->start);
    if (!mapping->table)
        return 1;
    __u32 number = unwind__rule_number(walk, mapping->table, WIRE_FRAME_OFFSET(walk->frame));
    struct unwind_rule *rule = bpf_map_lookup_elem(&unwind_rules, &number);
    if (rule)
        walk->rule = *rule;
    return 1;
}

static __always_inline __u32 unwind__find(struct unwind_walk *walk)
{
    struct unwind_cpu *cpu = unwind__cpu(walk);
    if (!cpu)
        return unwind__look_up(walk);
    __u64 hash = (walk->pc ^ (__u64)walk->epoch << 40) * 0x9e3779b97f4a7c15ull;
    struct unwind_cached *cached = &cpu->frames[hash >> 53 & (UNWIND_FRAMES - 1)];
    if (cached->pc == walk->pc && cached->epoch == walk->epoch) {
        walk->frame = cached->frame;
        walk->rule = cached->rule;
        walk->code = cached->code;
        return 1;
    }
    if (!unwind__look_up(walk))
        return 0;
    cached->pc = walk->pc;
    cached->frame = walk->frame;
    cached->rule = walk->rule;
    cached->epoch = walk->epoch;
    cached->code = walk->code;
    return 1;
}

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
__noinline __u32 unwind__frame(struct unwind_walk *walk)
{
    if (!walk)
        return 0;
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
// Whether a call ends right before an address: call relative, or call by a register or memory.
static __always_inline bool unwind__is_behind_call(__u64 address)
{
    __u8 code[8];
    if (unwind_read(code, sizeof(code), address - sizeof(code)) != 0)
        return false;
    return code[3] == 0xe8 || (code[6] == 0xff && (code[7] & 0x38) == 0x10) ||
           (code[5] == 0xff && (code[6] & 0x38) == 0x10) || (code[2] == 0xff && (code[3] & 0x38) == 0x10) ||
           (code[1] == 0xff && (code[2] & 0x38) == 0x10);
}

// A sample amid the handling of a uprobe: its breakpoint has been executed, the instruction in whose place it stands
// has not. The instruction pointer is behind the breakpoint, where the row for a push of one byte counts what is not on
// the stack yet. With the row before it there is a return address where that row says.
__noinline __u32 unwind__step_back(struct unwind_walk *walk)
{
    __u8 code = 0;
    __u64 address;
    if (!walk || unwind_read(&code, sizeof(code), walk->registers.ip - 1) != 0 || code != 0xcc)
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
    unsigned short segment = 0;
    walk->tgid = task->tgid;
    bpf_core_read(&segment, sizeof(segment), &user->cs);
    walk->registers.ip = user->ip;
    if (segment != USER_CS_64) {
        walk->frame = user->ip;
        walk->status = WIRE_STACK_COMPAT;
        return 0;
    }
    walk->registers.sp = user->sp;
    walk->registers.bp = user->bp;
    walk->registers.bx = user->bx;
    walk->registers.bp_at = walk->registers.bx_at = 0;
    walk->mm = (__u64)mm;
    walk->mapping.start = walk->mapping.end = 0;
    walk->before_call = walk->by_pointer = walk->uncertain = 0;
    walk->return_instance = 0;
    walk->trampoline = ~0ull;
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
    else if (BPF_CORE_READ(task, utask)) // it has hit a probe before
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

struct unwind_frames {
    __u64 at[WIRE_USER_FRAMES_MAX];
};

// Puts the function that has returned before its caller. How many frames that is.
static __always_inline __u32 unwind__put_returned(struct unwind_walk *walk, struct unwind_frames *frames)
{
    if (!walk->returned_from)
        return 0;
    walk->before_call = 1; // what the registers say is a return address
    walk->pc = walk->returned_from;
    if (!unwind__find(walk))
        return 0;
    frames->at[0] = walk->frame;
    return 1;
}

// From frames->at[count] on; how many frames there are then. Leaves how the stack ended in walk->status.
static __always_inline __u32 unwind__follow(struct unwind_walk *walk, struct unwind_frames *frames, __u32 count)
{
    __u32 goes_on = 1;
    for (__u32 i = count; i < WIRE_USER_FRAMES_MAX; i++) {
        goes_on = unwind__frame(walk);
        frames->at[i] = walk->frame;
        count = walk->frame ? i + 1 : i;
        if (!goes_on)
            break;
    }
    if (goes_on)
        walk->status = WIRE_STACK_CUT;
    return count;
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
