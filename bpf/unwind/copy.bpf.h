// --unwind=copy: the registers and the top of the user stack go to user space as they are, where libunwind unwinds them
// (collector/unwinding/copy_stacks.h). The count's user_stack is then an id that no other sample has, and the copy
// carries it.
#ifndef HEARTH_BPF_COPY_H
#define HEARTH_BPF_COPY_H

#include "bpf/common/maps.bpf.h"
#include "bpf/unwind/unwind.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

// As many as the kernel lets wait in one thread (include/linux/uprobes.h, MAX_URETPROBE_DEPTH).
#define COPY_URETPROBES 64

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096); // the loader's, where copies are wanted
} copies SEC(".maps");

// A copy is put together here: the verifier wants a constant for what is reserved in the ring buffer itself. One a CPU;
// larger than what a per-CPU map may hold (32 KiB; PCPU_MIN_UNIT_SIZE).
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); // the loader's, where copies are wanted
    __uint(value_size, sizeof(struct wire_copy));
    __type(key, __u32);
} own_copy SEC(".maps");

// Page by page, for a read that fails in the middle gives nothing; ends at the stack's end, or when the copy is full.
__noinline __u32 copy__read_stack(struct wire_copy *copy)
{
    __u32 bytes = 0;
    if (!copy)
        return 0;
    for (__u32 page = 0; page <= WIRE_COPY_BYTES / 4096 && bytes < WIRE_COPY_BYTES; page++) {
        __u64 address = copy->stack_address + bytes;
        __u32 step = 4096 - (address & 4095);
        if (bpf_probe_read_user(copy->stack + (bytes & (WIRE_COPY_BYTES - 1)), step, (void *)address) != 0)
            break;
        bytes += step;
    }
    return bytes < WIRE_COPY_BYTES ? bytes : WIRE_COPY_BYTES;
}

// An instruction with a probe runs elsewhere, in a copy of it; and where uretprobes have put their trampoline, the copy
// of the stack gets the return addresses that they keep.
__noinline __u32 copy__undo_uprobes(struct wire_copy *copy)
{
    if (!copy)
        return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    __u64 slot = BPF_CORE_READ(task, utask, xol_vaddr);
    if (slot && copy->registers[REGISTER_IP] - slot < UPROBE_SLOT_BYTES)
        copy->registers[REGISTER_IP] += BPF_CORE_READ(task, utask, vaddr) - slot;
    struct return_instance *instance = BPF_CORE_READ(task, utask, return_instances);
    __u64 trampoline = BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
    for (__u32 i = 0; i < COPY_URETPROBES && instance; i++) {
        __u64 real = BPF_CORE_READ(instance, orig_ret_vaddr), stands = 0;
        __u64 offset = BPF_CORE_READ(instance, stack) - copy->stack_address;
        instance = BPF_CORE_READ(instance, next);
        if (offset & 7 || offset + 8 > copy->stack_bytes || offset >= WIRE_COPY_BYTES)
            continue;
        bpf_probe_read_kernel(&stands, sizeof(stands), copy->stack + (offset & (WIRE_COPY_BYTES - 8)));
        // A stale one, of a longjmp, has something else there; of several on one function, one has the address.
        if (stands - trampoline < UPROBE_PAGE_BYTES && real - trampoline >= UPROBE_PAGE_BYTES)
            *(__u64 *)(copy->stack + (offset & (WIRE_COPY_BYTES - 8))) = real;
    }
    return 0;
}

// The frames that a sample's copy is compared with.
struct copy_beside {
    const __u64 *frames;
    __u32 count, status;
};

static __always_inline long copy__output(struct wire_copy *copy, __u32 bytes, const struct copy_beside *beside)
{
    if (!beside)
        return bpf_ringbuf_output(&copies, copy, __builtin_offsetof(struct wire_copy, stack) + bytes, 0);
    copy->frame_count = beside->count;
    copy->frame_status = beside->status;
    bpf_probe_read_kernel(copy->frames, sizeof(copy->frames), beside->frames);
    return bpf_ringbuf_output(&copies, copy, sizeof(*copy), 0);
}

static __always_inline __u64 copy__fill_and_send(struct wire_copy *copy, __u32 set, __u32 weight, __u64 returned_from,
                                                 const struct copy_beside *beside)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
    struct pt_regs *user = (struct pt_regs *)bpf_task_pt_regs(task);
    bool is_compat = registers__is_compat(user);
    registers__copy(copy->registers, user);
    copy->returned_from = returned_from;
    copy->time_ns = bpf_ktime_get_ns();
    copy->id = (copy->time_ns << 12 ^ config.stack_seed) + bpf_get_smp_processor_id() + 2;
    copy->start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
    copy->tgid = bpf_get_current_pid_tgid() >> 32;
    copy->set = set;
    copy->weight = weight;
    copy->is_compat = is_compat;
    copy->stack_address = copy->registers[REGISTER_SP] - ARCH_RED_ZONE;
    __u32 bytes = copy__read_stack(copy);
    copy->stack_bytes = bytes;
    if (bytes > WIRE_COPY_BYTES)
        return WIRE_STACK_LOST;
    copy__undo_uprobes(copy);
    return copy__output(copy, bytes, beside) == 0 ? copy->id : WIRE_STACK_LOST;
}

// The id for the count's user_stack; WIRE_STACK_LOST: the ring is full, or the program interrupts another one's copy on
// its CPU.
static __always_inline __u64 copy__send(__u32 set, __u32 weight, __u64 returned_from, const struct copy_beside *beside)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
    __u32 cpu = bpf_get_smp_processor_id();
    if (!BPF_CORE_READ(task, mm))
        return WIRE_NO_STACK;
    struct wire_copy *copy = bpf_map_lookup_elem(&own_copy, &cpu);
    if (!copy || __sync_val_compare_and_swap(&copy->taken, 0, 1) != 0)
        return WIRE_STACK_LOST;
    __u64 id = copy__fill_and_send(copy, set, weight, returned_from, beside);
    __sync_lock_test_and_set(&copy->taken, 0);
    return id;
}

#endif
