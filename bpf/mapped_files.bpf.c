// Lists the executable mappings of all processes, as the notes that their files would be announced by, and the
// processes that are likely to be sampled: what hearth knows before its first sample
// (collector/programs/mapped_files.c).
#include "bpf/unwind/unwind_find.bpf.h"

// Writes the process of each thread that runs, waits for a CPU, or came to one within the last second. Times of arrival
// are of the scheduler's clock, which no helper tells: the reader of this list has come to its CPU just now. Where the
// kernel does not keep them, every process is listed.
SEC("iter/task")
int list_active(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task, *reader = bpf_get_current_task_btf();
    if (!task)
        return 0;
    __u32 tgid = task->tgid;
    if (task->__state != 0 && bpf_core_field_exists(task->sched_info.last_arrival)) {
        __s64 ago_ns = (__s64)(reader->sched_info.last_arrival - task->sched_info.last_arrival);
        if (ago_ns > 1000000000ll)
            return 0;
    }
    bpf_seq_write(ctx->meta->seq, &tgid, sizeof(tgid));
    return 0;
}

SEC("iter/task_vma")
int list_mapped_files(struct bpf_iter__task_vma *ctx)
{
    struct task_struct *task = ctx->task;
    struct vm_area_struct *vma = ctx->vma;
    if (!task || !vma || !(BPF_CORE_READ(vma, vm_flags) & VM_EXEC))
        return 0;
    struct wire_note note = {.kind = WIRE_NOTE_BINARY, .tgid = BPF_CORE_READ(task, tgid)};
    note.start = BPF_CORE_READ(vma, vm_start);
    note.end = BPF_CORE_READ(vma, vm_end);
    if (BPF_CORE_READ(vma, vm_file)) {
        unwind__identify(vma, &note.file);
        note.file_offset = BPF_CORE_READ(vma, vm_pgoff) << 12;
    } else if (note.start == (__u64)BPF_CORE_READ(task, mm, context.vdso)) {
        note.file.generation = WIRE_VDSO_GENERATION;
    } else {
        return 0;
    }
    bpf_seq_write(ctx->meta->seq, &note, sizeof(note));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
