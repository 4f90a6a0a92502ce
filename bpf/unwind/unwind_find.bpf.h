// Looks up an address of user space: walk->pc leads to walk->frame, code and rule.
//
//   pc -> the mapping, by the process's tree -> its binary, by the map `files` -> the row of the binary -> its rule
//
// Two caches stand in front, both a CPU's own: frames by (process, pc), so that the outer frames of busy programs cost
// one look-up each; and the mappings of a process. Both forget a process when its mappings or the collector's tables
// change (struct unwind_process). A file that the collector does not know yet is announced to it.
#ifndef HEARTH_BPF_UNWIND_FIND_H
#define HEARTH_BPF_UNWIND_FIND_H

#include "bpf/unwind/unwind_maps.bpf.h"
#include "bpf/unwind/unwind_uprobe.bpf.h"
#include "bpf/unwind/unwind_vma.bpf.h"

#include <bpf/bpf_tracing.h>

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

#endif
