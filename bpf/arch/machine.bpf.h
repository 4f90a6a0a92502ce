// The processor, for BPF programs:
//
//   registers__copy(to, user), registers__bx(user), registers__system_call(user), registers__is_compat(user)
//   registers__php_frame(user), registers__php_opline(user)
//   thread__pointer(task), THREAD_KEYS              where a thread keeps what is its own, and of that its pthread keys
//   system_call__is_compat(task), system_call__never_returns(number)
//   argument__of(ctx, number, &value)                a function's argument, by the calling convention of C
//   code__ends_in_call(bytes), CODE_BREAKPOINT       what stands before a return address, and what a probe writes
//   uprobe_page__pushed(at), uprobe_page__return_at(at)   the pages that the kernel maps for probes
#ifndef HEARTH_BPF_ARCH_MACHINE_BPF_H
#define HEARTH_BPF_ARCH_MACHINE_BPF_H

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#include "bpf/arch/x86_64/machine.bpf.h"
#else
#error "bpf/arch/ has no folder for this instruction set"
#endif

#endif
