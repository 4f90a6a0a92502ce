#ifndef HEARTH_BPF_ARCH_X86_64_REGISTERS_H
#define HEARTH_BPF_ARCH_X86_64_REGISTERS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

// As DWARF numbers them (psABI, figure 3.36): rax rdx rcx rbx rsi rdi rbp rsp r8-r15 rip.
#define ARCH_REGISTERS 17
#define ARCH_RED_ZONE  128 // bytes below rsp that a leaf may use (System V ABI, 3.2.2)
#define REGISTER_BX    3
#define REGISTER_BP    6
#define REGISTER_SP    7
#define REGISTER_IP    16

// Of struct sigcontext (uapi asm/sigcontext.h), by the place of its rsp.
#define SIGNAL_FRAME_IP 8
#define SIGNAL_FRAME_BP (-40)
#define SIGNAL_FRAME_BX (-32)
struct signal_frame { // from SIGNAL_FRAME_BP on
    __u64 bp, bx, dx, ax, cx, sp, ip;
};

#endif
