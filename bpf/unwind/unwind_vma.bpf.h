// The mapping of an address, read from the process's own tree of mappings: the maple tree (6.1 and later) or the
// red-black tree (before). The program runs under RCU, so nodes stay; a change meanwhile gives the old or the new
// mapping, or none.
#ifndef HEARTH_BPF_UNWIND_VMA_H
#define HEARTH_BPF_UNWIND_VMA_H

#include "bpf/unwind/unwind_maps.bpf.h"

#include <bpf/bpf_core_read.h>

// include/linux/maple_tree.h and lib/maple_tree.c of 6.1 to 6.18: a node's address has 256 bytes of alignment; bits 3
// to 6 of a pointer to it are its type; the root and other inner pointers have bit 1 or bit 2 set.
#define MAPLE_LEAF_64   1
#define MAPLE_RANGE_64  2
#define MAPLE_ARANGE_64 3
#define MAPLE_LEVELS    8 // 10^8 mappings; a process may have 65,530

#define RB_LEVELS 40 // twice the logarithm of 65,530, and more

#define VM_EXEC 4

// The slot of a node that an address falls into: behind the pivots below it. Pivots grow; unused ones are 0.
static __always_inline __u32 maple__slot(const unsigned long *pivots, __u32 count, __u64 address)
{
    __u32 slot = 0;
    for (__u32 i = 0; i < UNWIND_PIVOTS; i++) {
        if (i >= count || address <= pivots[i] || (i && pivots[i] == 0))
            break;
        slot = i + 1;
    }
    return slot;
}

// The pivots are read into walk->pivots: the stack of a program and all it calls is 512 bytes.
static __always_inline __u64 maple__child(struct unwind_walk *walk, __u64 node, __u32 type)
{
    unsigned long *pivots = walk->pivots;
    __u32 count = UNWIND_PIVOTS;
    __u64 slots;
    if (type == MAPLE_ARANGE_64) {
        struct maple_arange_64 *inner = (void *)node;
        if (bpf_core_read(pivots, sizeof(inner->pivot), &inner->pivot))
            return 0;
        count = sizeof(inner->pivot) / sizeof(inner->pivot[0]);
        slots = (__u64)__builtin_preserve_access_index(&inner->slot);
    } else {
        struct maple_range_64 *range = (void *)node;
        if (bpf_core_read(pivots, sizeof(range->pivot), &range->pivot))
            return 0;
        slots = (__u64)__builtin_preserve_access_index(&range->slot);
    }
    __u64 child = 0;
    bpf_probe_read_kernel(&child, sizeof(child), (void *)(slots + 8 * maple__slot(pivots, count, walk->pc)));
    return child;
}

// A struct vm_area_struct, or 0.
static __always_inline __u64 maple__find(struct unwind_walk *walk, __u64 entry)
{
    for (int level = 0; level < MAPLE_LEVELS; level++) {
        __u32 type = entry >> 3 & 15;
        if (entry <= 4096 || type < MAPLE_LEAF_64 || type > MAPLE_ARANGE_64)
            return 0;
        entry = maple__child(walk, entry & ~255ull, type);
        if (type == MAPLE_LEAF_64)
            return entry & 3 ? 0 : entry;
    }
    return 0;
}

static __always_inline __u64 rb__find(__u64 node, __u64 address)
{
    for (int level = 0; level < RB_LEVELS && node; level++) {
        struct vm_area_struct *vma = (void *)(node - bpf_core_field_offset(struct vm_area_struct, vm_rb));
        if (address >= BPF_CORE_READ(vma, vm_end))
            node = (__u64)BPF_CORE_READ((struct rb_node *)node, rb_right);
        else if (address < BPF_CORE_READ(vma, vm_start))
            node = (__u64)BPF_CORE_READ((struct rb_node *)node, rb_left);
        else
            return (__u64)vma;
    }
    return 0;
}

// The mapping at walk->pc: a struct vm_area_struct, or 0. A global function: its loops are verified once.
__noinline __u64 vma__find(struct unwind_walk *walk)
{
    if (!walk)
        return 0;
    struct mm_struct *memory = (void *)walk->mm;
    if (bpf_core_field_exists(memory->mm_mt))
        return maple__find(walk, (__u64)BPF_CORE_READ(memory, mm_mt.ma_root));
    return rb__find((__u64)BPF_CORE_READ(memory, mm_rb.rb_node), walk->pc);
}

#endif
