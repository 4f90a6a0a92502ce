// Stacks while uprobes are active, anybody's. They put addresses of their own page where the program's stand: a
// uretprobe replaces the return address on the stack by that of a trampoline, and keeps the real one
// (kernel/events/uprobes.c: prepare_uretprobe); a probed instruction may run from a copy.
#ifndef HEARTH_BPF_UNWIND_UPROBE_H
#define HEARTH_BPF_UNWIND_UPROBE_H

#include "bpf/arch/machine.bpf.h"
#include "bpf/unwind/unwind_maps.bpf.h"

#include <bpf/bpf_core_read.h>

#define UPROBE_PAGE_BYTES 4096
#define UPROBE_PAGES      8   // of a process that are looked at: one within 2 GiB of each probe
#define UPROBE_SLOT_BYTES 128 // of a copied instruction (UPROBE_XOL_SLOT_BYTES)
#define RETURN_INSTANCES  16  // looked at for one frame; stale ones of a longjmp are skipped

// The rule in the page that an optimized uprobe calls.
static __always_inline struct unwind_rule unwind__uprobe_rule(__u64 at)
{
    struct unwind_rule rule = {.kind = UNWIND_SP, .cfa_offset = 8 * (uprobe_page__pushed(at) + 1)};
    return rule;
}

static __always_inline bool unwind__is_uprobe_page(struct mm_struct *mm, __u64 start)
{
    if (!bpf_core_field_exists(mm->uprobes_state.head_tramps))
        return false;
    struct hlist_node *node = BPF_CORE_READ(mm, uprobes_state.head_tramps.first);
    for (int i = 0; i < UPROBE_PAGES && node; i++) {
        struct uprobe_trampoline *page = (void *)node - bpf_core_field_offset(struct uprobe_trampoline, node);
        if (BPF_CORE_READ(page, vaddr) == start)
            return true;
        node = BPF_CORE_READ(node, next);
    }
    return false;
}

// The real return address, for the trampoline's in the stack slot at `slot` or up to `pushed` bytes above.
static __always_inline __u32 unwind__real_return(struct unwind_walk *walk, struct uprobe_task *utask, __u64 slot,
                                                 __u32 pushed)
{
    struct return_instance *instance = (void *)walk->return_instance;
    if (!instance)
        instance = BPF_CORE_READ(utask, return_instances);
    for (int i = 0; i < RETURN_INSTANCES && instance; i++) {
        __u64 real = BPF_CORE_READ(instance, orig_ret_vaddr), stack = BPF_CORE_READ(instance, stack);
        instance = BPF_CORE_READ(instance, next);
        // Several probes on one function share a slot: all but one have the trampoline as what they replaced.
        if (stack - slot > pushed || real == walk->trampoline)
            continue;
        walk->registers.ip = real;
        walk->registers.sp = stack + 8;
        walk->return_instance = (__u64)instance;
        return 1;
    }
    return 0;
}

// Inside the trampoline.
static __always_inline void unwind__leave_trampoline(struct unwind_walk *walk, struct uprobe_task *utask)
{
    __u64 at = walk->registers.ip - walk->trampoline, saved = 0, address;
    if (unwind__real_return(walk, utask, walk->registers.sp - 8, UPROBE_PAGE_PUSHED_MOST))
        return;
    saved = walk->registers.sp + uprobe_page__return_at(at);
    if (unwind_read(&address, sizeof(address), saved) != 0)
        return;
    walk->registers.ip = address;
    walk->registers.sp = saved + 8;
}

__noinline __u32 unwind__undo_uprobe(struct unwind_walk *walk)
{
    if (!walk)
        return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    struct uprobe_task *utask = BPF_CORE_READ(task, utask);
    if (!utask)
        return 0;
    if (walk->before_call)
        return unwind__real_return(walk, utask, walk->registers.sp - 8, 0);
    __u64 copy = BPF_CORE_READ(utask, xol_vaddr);
    if (copy && walk->registers.ip - copy < UPROBE_SLOT_BYTES)
        walk->registers.ip += BPF_CORE_READ(utask, vaddr) - copy;
    else
        unwind__leave_trampoline(walk, utask);
    return 0;
}

// The kernel's handler of a uprobe has this on its stack (kernel/trace/trace_uprobe.c, the same since 3.15), with
// utask->vaddr pointing there while programs run.
struct uprobe_dispatch {
    void *probe;
    __u64 address; // of the probe: at a return, that of the function's entry
};

// The function whose uretprobe runs. The helper tells since 6.6; before, it says 0.
static __always_inline __u64 uprobe__returned_from(void *ctx)
{
    struct uprobe_dispatch dispatch = {0};
    __u64 address = bpf_get_func_ip(ctx);
    if (address)
        return address;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
    bpf_probe_read_kernel(&dispatch, sizeof(dispatch), (void *)BPF_CORE_READ(task, utask, vaddr));
    return dispatch.address;
}

#endif
