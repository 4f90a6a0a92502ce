#ifndef HEARTH_BPF_ARCH_X86_64_MACHINE_BPF_H
#define HEARTH_BPF_ARCH_X86_64_MACHINE_BPF_H

#include "bpf/common/vmlinux.h"
#include "bpf/wire/wire.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// --- The user's registers, whatever a sample interrupted: the kernel keeps them at the top of the task's own stack for
// as long as it runs in the task's name (arch/x86/entry/entry_64.S, error_entry and the system call's).

static __always_inline void registers__copy(__u64 *registers, struct pt_regs *from)
{
    registers[0] = BPF_CORE_READ(from, ax);
    registers[1] = BPF_CORE_READ(from, dx);
    registers[2] = BPF_CORE_READ(from, cx);
    registers[3] = BPF_CORE_READ(from, bx);
    registers[4] = BPF_CORE_READ(from, si);
    registers[5] = BPF_CORE_READ(from, di);
    registers[6] = BPF_CORE_READ(from, bp);
    registers[7] = BPF_CORE_READ(from, sp);
    registers[8] = BPF_CORE_READ(from, r8);
    registers[9] = BPF_CORE_READ(from, r9);
    registers[10] = BPF_CORE_READ(from, r10);
    registers[11] = BPF_CORE_READ(from, r11);
    registers[12] = BPF_CORE_READ(from, r12);
    registers[13] = BPF_CORE_READ(from, r13);
    registers[14] = BPF_CORE_READ(from, r14);
    registers[15] = BPF_CORE_READ(from, r15);
    registers[16] = BPF_CORE_READ(from, ip);
}

static __always_inline __u64 registers__bx(const struct pt_regs *user)
{
    return user->bx;
}

// Where GCC's builds of PHP keep what execute_ex runs (ZEND_VM_FP_GLOBAL_REG and _IP_GLOBAL_REG of
// Zend/zend_execute.c).
static __always_inline __u64 registers__php_frame(struct pt_regs *user)
{
    return BPF_CORE_READ(user, r14);
}

static __always_inline __u64 registers__php_opline(struct pt_regs *user)
{
    return BPF_CORE_READ(user, r15);
}

// The system call's number, -1 outside of one.
static __always_inline __u64 registers__system_call(const struct pt_regs *user)
{
    return user->orig_ax;
}

#define USER_CS_64 0x33 // arch/x86/include/asm/segment.h: __USER_CS

// Whether the thread runs 32-bit code.
static __always_inline bool registers__is_compat(struct pt_regs *user)
{
    unsigned short segment = 0;
    bpf_core_read(&segment, sizeof(segment), &user->cs);
    return segment != USER_CS_64;
}

// --- What a thread keeps

// Of the current task: the kernel's copy, which it makes when the thread leaves the CPU or sets it by arch_prctl().
static __always_inline __u64 thread__pointer(const struct task_struct *task)
{
    return BPF_CORE_READ(task, thread.fsbase);
}

// glibc's struct pthread, from the thread pointer on: `specific`, 32 pointers to blocks of 32 keys, {sequence, value}
// each. The library tells the place to debuggers (_thread_db_pthread_specific); 1296 from 2.31 to 2.41 at least.
#define THREAD_KEYS 1296

// --- System calls

// Of thread_info.status (arch/x86/include/asm/thread_info.h): the thread is in a 32-bit system call.
#define TS_COMPAT 2

static __always_inline bool system_call__is_compat(const struct task_struct *task)
{
    return task->thread_info.status & TS_COMPAT;
}

enum { NUMBER_EXIT = 60, NUMBER_EXIT_GROUP = 231 }; // arch/x86/entry/syscalls/syscall_64.tbl

static __always_inline bool system_call__never_returns(__u64 number)
{
    return number == NUMBER_EXIT || number == NUMBER_EXIT_GROUP;
}

// --- Arguments, by the System V ABI, 3.2.3: the first six are in registers, the others on the stack, above the return
// address.

// Each its own instruction, with a constant offset: the verifier wants that of a context, and clang would rather load
// from a chosen offset.
#define ARGUMENT(number, from)                                                                                         \
    case number:                                                                                                       \
        value = (from);                                                                                                \
        asm volatile("/* argument " #number " */" : "+r"(value));                                                      \
        break

#define ARGUMENTS_IN_REGISTERS 6

static __always_inline bool argument__on_stack(struct pt_regs *ctx, __u32 number, __u64 *ret_value)
{
    __u64 place = PT_REGS_SP(ctx) + sizeof(*ret_value) * (number - ARGUMENTS_IN_REGISTERS + 1);
    return bpf_probe_read_user(ret_value, sizeof(*ret_value), (void *)place) == 0;
}

// At a function's entry, or WIRE_HIST_RETURNED, at its return. False: it cannot be read.
static __always_inline bool argument__of(struct pt_regs *ctx, __u32 number, __u64 *ret_value)
{
    __u64 value = 0;
    if (number >= ARGUMENTS_IN_REGISTERS && number != WIRE_HIST_RETURNED)
        return argument__on_stack(ctx, number, ret_value);
    switch (number) {
        ARGUMENT(0, PT_REGS_PARM1(ctx));
        ARGUMENT(1, PT_REGS_PARM2(ctx));
        ARGUMENT(2, PT_REGS_PARM3(ctx));
        ARGUMENT(3, PT_REGS_PARM4(ctx));
        ARGUMENT(4, PT_REGS_PARM5(ctx));
        ARGUMENT(5, ctx->r9); // libbpf 1.1 has names for five
        ARGUMENT(WIRE_HIST_RETURNED, PT_REGS_RC(ctx));
    }
    *ret_value = value;
    return true;
}

// --- Code

#define CODE_BREAKPOINT 0xcc // int3

// Whether a call ends there: call relative, or call by a register or memory.
static __always_inline bool code__ends_in_call(const __u8 code[8])
{
    return code[3] == 0xe8 || (code[6] == 0xff && (code[7] & 0x38) == 0x10) ||
           (code[5] == 0xff && (code[6] & 0x38) == 0x10) || (code[2] == 0xff && (code[3] & 0x38) == 0x10) ||
           (code[1] == 0xff && (code[2] & 0x38) == 0x10);
}

// How many registers are on the stack, `at` bytes into the page that an optimized uprobe calls (arch/x86/kernel/
// uprobes.c of 6.18, uprobe_trampoline_entry):
//
//   0  push %rcx; push %r11; push %rax; mov $336, %rax; syscall
//   13 pop %rax; pop %r11; pop %rcx; ret
static __always_inline __u32 uprobe_page__pushed(__u64 at)
{
    return at < 1 || at >= 17 ? 0 : at < 3 || at >= 16 ? 1 : at < 4 || at >= 14 ? 2 : 3;
}

// Where the return address is above the stack pointer, `at` bytes into the trampoline of uretprobes (arch/x86/kernel/
// uprobes.c, uretprobe_trampoline_entry; before 6.11 it is only its first byte):
//
//   0  push %rax; push %rcx; push %r11; mov $335, %rax; syscall     the call handles the probe, and replaces the saved
//   13 pop %r11; pop %rcx; ret                                      rax by the real return address
static __always_inline __u64 uprobe_page__return_at(__u64 at)
{
    return at <= 13 ? 16 : at <= 15 ? 8 : 0;
}
#define UPROBE_PAGE_PUSHED_MOST 24 // bytes

#endif
