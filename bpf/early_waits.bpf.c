// The user stacks of threads that wait since before the recording (bpf/early.bpf.h). bpf_probe_read_user() reads the
// current process only; bpf_copy_from_user_task(), of 5.18 and later and for sleepable programs alone, any other. So
// the top of the thread's stack is copied first, and the unwinder reads the copy.
//
// The copy faults pages in, as the thread itself would, and that must end: memory of a file may lie on a mount that
// does not answer, that of userfaultfd waits for its handler, and a mapping lock that is taken may stay so. Only
// private memory without a file is copied, and only where the lock is free.
#include "bpf/common/vmlinux.h"

#include <bpf/bpf_helpers.h>

#define EARLY_STACK_BYTES 65536 // as much as --unwind=copy takes

struct early_stack {
    __u64 address; // of at[0]
    __u32 bytes;
    __u32 reserved;
    __u8 at[EARLY_STACK_BYTES + 4096]; // the last ones so that a read at the end stays within
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); // the collector runs one iterator at a time
    __type(key, __u32);
    __type(value, struct early_stack);
} own_stack SEC(".maps");

#define UNWIND_HAS_READ
static __always_inline long unwind_read(void *to, __u32 bytes, __u64 address)
{
    __u32 zero = 0;
    struct early_stack *stack = bpf_map_lookup_elem(&own_stack, &zero);
    if (!stack)
        return -1;
    __u64 offset = address - stack->address;
    if (offset >= stack->bytes || bytes > stack->bytes - offset)
        return -1;
    return bpf_probe_read_kernel(to, bytes, stack->at + (offset & (EARLY_STACK_BYTES - 1)));
}

#define SCRATCH_SLOTS 1
#include "bpf/early.bpf.h"

#define VM_UFFD_MISSING 0x200 // include/linux/mm.h
#define RWSEM_BUSY      3     // kernel/locking/rwsem.c: a writer has it, or somebody waits for it

// Where the mapping of the stack pointer ends; 0: it is no plain memory.
__noinline __u64 early__stack_end(struct unwind_walk *walk)
{
    if (!walk)
        return 0;
    walk->pc = walk->registers.sp;
    struct vm_area_struct *vma = (void *)vma__find(walk);
    if (!vma || BPF_CORE_READ(vma, vm_file) || BPF_CORE_READ(vma, vm_flags) & VM_UFFD_MISSING)
        return 0;
    return BPF_CORE_READ(vma, vm_end);
}

__noinline __u32 early__walk(struct unwind_walk *walk, struct unwind_frames *frames)
{
    return walk && frames ? unwind__follow(walk, frames, 0) : 0;
}

static __always_inline bool is_locked(struct mm_struct *mm)
{
    return bpf_core_field_exists(mm->mmap_lock.count) && BPF_CORE_READ(mm, mmap_lock.count.counter) & RWSEM_BUSY;
}

static __always_inline void copy_stack(struct task_struct *task, struct early_stack *stack, __u64 sp, __u64 end)
{
    __u32 bytes = 0;
    stack->address = sp - ARCH_RED_ZONE;
    for (__u32 page = 0; page <= EARLY_STACK_BYTES / 4096 && bytes < EARLY_STACK_BYTES; page++) {
        __u64 address = stack->address + bytes;
        __u32 step = 4096 - (address & 4095);
        if (address >= end || bpf_copy_from_user_task(stack->at + (bytes & (EARLY_STACK_BYTES - 1)), step,
                                                      (const void *)address, task, 0) != 0)
            break;
        bytes += step;
    }
    stack->bytes = bytes < EARLY_STACK_BYTES ? bytes : EARLY_STACK_BYTES;
}

// The chunk by the id that the wait has already, in place of the one without frames, and its callers by their own.
static __always_inline void put(struct scratch *scratch, __u64 id, __u32 count)
{
    struct wire_chunk *chunk = &scratch->chunk;
    __u32 leaves = count ? (count - 1) % WIRE_CHUNK_FRAMES + 1 : 0;
    __u64 caller = stack__put(scratch, leaves, count - leaves, 0);
    __builtin_memset(chunk->frames, 0, sizeof(chunk->frames));
    for (__u32 i = 0; i < WIRE_CHUNK_FRAMES && i < leaves; i++)
        chunk->frames[i] = scratch->frames[i];
    chunk->caller = caller;
    chunk->status = scratch->walk.status;
    chunk->frame_count = leaves;
    if (scratch->set)
        bpf_map_update_elem(&stacks_1, &id, chunk, BPF_ANY);
    else
        bpf_map_update_elem(&stacks_0, &id, chunk, BPF_ANY);
}

static __always_inline bool is_over(const struct task_struct *task, const struct early_wait *early)
{
    return task->start_boottime != early->start_boot_ns || early__switches(task) != early->switches;
}

// Whether its binaries may have rows the next time.
static __always_inline bool may_get_better(const struct unwind_walk *walk)
{
    return walk->status == WIRE_STACK_NO_ROWS && walk->code == UNWIND_CODE_UNKNOWN;
}

// Returns whether that is the last of it.
static __always_inline bool unwind(struct task_struct *task, const struct early_wait *early, struct scratch *scratch)
{
    __u32 zero = 0, count = 1;
    struct early_stack *stack = bpf_map_lookup_elem(&own_stack, &zero);
    struct unwind_walk *walk = &scratch->walk;
    struct mm_struct *mm = task->mm;
    bool is_last = early->tries >= EARLY_TRIES;
    if (!stack || !mm || is_locked(mm))
        return is_last;
    walk->tables_only = config.unwind == WIRE_UNWIND_TABLE;
    if (unwind__start_at(walk, task, mm)) {
        copy_stack(task, stack, walk->registers.sp, early__stack_end(walk));
        count = early__walk(walk, (struct unwind_frames *)scratch->frames);
    } else {
        scratch->frames[0] = walk->frame;
    }
    if (is_over(task, early))
        return true;
    is_last = is_last || !may_get_better(walk);
    if (is_last && walk->status > WIRE_STACK_CUT)
        tally__lose(WIRE_LOSS_STACK_BROKEN);
    scratch__choose_set(scratch);
    put(scratch, early__stack_id(task, early->switches), count);
    return is_last;
}

SEC("iter.s/task")
int early_unwind(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    if (!task)
        return 0;
    __u32 tid = task->pid;
    struct early_wait *early = bpf_map_lookup_elem(&early_waits, &tid);
    if (!early)
        return 0;
    early->tries++;
    bool is_done = is_over(task, early);
    struct scratch *scratch = is_done ? NULL : scratch__take(1);
    if (scratch) {
        is_done = unwind(task, early, scratch);
        scratch__give_back(scratch);
    }
    if (is_done)
        bpf_map_delete_elem(&early_waits, &tid);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
