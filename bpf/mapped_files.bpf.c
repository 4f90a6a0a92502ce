// Lists the executable mappings of all processes, as the notes that their files would be announced by: what hearth
// knows before its first sample (collector/mapped_files.c).
#include "bpf/unwind.bpf.h"

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
