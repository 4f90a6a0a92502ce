#ifndef HEARTH_BPF_ARCH_X86_64_KERNEL_TYPES_H
#define HEARTH_BPF_ARCH_X86_64_KERNEL_TYPES_H

// As a program of type perf_event sees them: struct bpf_perf_event_data of the UAPI, whose layout never moves, unlike
// the kernel's own pt_regs (cs was 8 bytes up to 6.8 and is 2 from 6.9 on).
struct uapi_pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
struct bpf_perf_event_data {
    struct uapi_pt_regs regs;
    __u64 sample_period;
    __u64 addr;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, flags, sp;
    unsigned short cs; // 8 bytes up to 6.8: to be read with bpf_core_read, which takes its place only
};

struct thread_struct {
    unsigned long fsbase;
};

struct thread_info {
    unsigned int status;
};

#pragma clang attribute pop

#endif
