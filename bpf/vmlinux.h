// The kernel's types, as few as hearth uses: every field is found by its name in the running kernel's BTF (CO-RE), so
// order and size here mean nothing, and building needs no BTF. A field that some kernels lack is asked for with
// bpf_core_field_exists(). Constants of the BPF system call come from the UAPI header.
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

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
};

typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live; // threads not yet past exit
};

struct mm_struct;
struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct task_struct {
    int pid;
    int tgid;
    unsigned int flags;
    unsigned int __state;
    struct mm_struct *mm;
    struct task_struct *group_leader;
    struct task_struct *real_parent;
    struct signal_struct *signal;
    __u64 start_boottime;
};

// The context of an iterator over tasks; task is NULL at its end.
struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

#pragma clang attribute pop

#endif
