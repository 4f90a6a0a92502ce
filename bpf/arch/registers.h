// The registers that unwinding needs, for both sides:
//
//   ARCH_REGISTERS, ARCH_RED_ZONE                    how many registers a copied stack comes with, and bytes below sp
//   REGISTER_IP, _SP, _BP, _BX                       their numbers in DWARF, which are their places in the copy, too
//   SIGNAL_FRAME_*, struct signal_frame              where the kernel keeps them while a signal is handled
#ifndef HEARTH_BPF_ARCH_REGISTERS_H
#define HEARTH_BPF_ARCH_REGISTERS_H

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#include "bpf/arch/x86_64/registers.h"
#else
#error "bpf/arch/ has no folder for this instruction set"
#endif

#endif
