// The kernel's types that each instruction set has its own of: struct pt_regs, struct thread_info, struct
// thread_struct, and struct bpf_perf_event_data. For vmlinux.h.
#ifndef HEARTH_BPF_ARCH_KERNEL_TYPES_H
#define HEARTH_BPF_ARCH_KERNEL_TYPES_H

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#include "bpf/arch/x86_64/kernel_types.h"
#else
#error "bpf/arch/ has no folder for this instruction set"
#endif

#endif
