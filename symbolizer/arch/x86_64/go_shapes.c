#include "symbolizer/arch/unwind_shapes.h"

// The calls, by the code around them (src/runtime/asm_amd64.s and sys_linux_amd64.s, Go 1.17 to 1.24); the linker
// decides about the distances of calls, so those are left out. Stripped programs have no names to go by.
#define GO_CALL                                                                                                        \
    {                                                                                                                  \
        .kind = UNWIND_GO_CALL, .cfa_offset = 48                                                                       \
    }
#define GO_DIRECT_CALL                                                                                                 \
    {                                                                                                                  \
        .kind = UNWIND_SP_DEREF_8, .cfa_offset = 40                                                                    \
    }
// The caller's rbp has been pushed below the return address.
#define GO_FRAMED_CALL                                                                                                 \
    {                                                                                                                  \
        .kind = UNWIND_GO_CALL | UNWIND_BP_AT_CFA << 4, .cfa_offset = 8, .bp_offset = -16                              \
    }
#define GO_FRAMED_DIRECT_CALL                                                                                          \
    {                                                                                                                  \
        .kind = UNWIND_BP | UNWIND_BP_AT_CFA << 4, .cfa_offset = 16, .bp_offset = -16                                  \
    }
// Six registers have been pushed, rbx first, then rbp.
#define SIX_PUSHED                                                                                                     \
    {                                                                                                                  \
        .kind = UNWIND_SP | UNWIND_BP_AT_CFA << 4, .cfa_offset = 56, .bp_offset = -24, .bx_slot = -2                   \
    }
// As the kernel leaves it on the stack: struct rt_sigframe (arch/x86/include/asm/sigframe.h).
#define SIGNAL_FRAME                                                                                                   \
    {                                                                                                                  \
        .kind = UNWIND_SIGNAL, .cfa_offset = 160                                                                       \
    }
// No frame of its own: the function is its call and a return.
#define NO_FRAME                                                                                                       \
    {                                                                                                                  \
        .kind = UNWIND_SP, .cfa_offset = 8                                                                             \
    }
#define CODE(text) (const uint8_t *)(text), sizeof(text) - 1
const struct go_shape go_shapes[] = {
    // systemstack: mov %rdi, %rdx; mov (%rdi), %rdi; call *%rdi
    {CODE("\x48\x89\xfa\x48\x8b\x3f\xff\xd7"), 8, CODE(""), 6, 2, {.kind = UNWIND_END}},
    // mcall: push %rax; mov (%rdx), %r12; call *%r12; pop %rax; jmp
    {CODE("\x50\x4c\x8b\x22\x41\xff\xd4\x58\xe9"), 9, CODE(""), 4, 3, {.kind = UNWIND_END}},
    // the same with a nop behind the call, since 1.24
    {CODE("\x50\x4c\x8b\x22\x41\xff\xd4\x90\x58\xe9"), 10, CODE(""), 4, 3, {.kind = UNWIND_END}},
    // morestack: mov 56(%rbx), %rsp; call newstack; call abort; ret
    {CODE("\x48\x8b\x63\x38\xe8"), 14, CODE("\xc3"), 4, 5, {.kind = UNWIND_END}},
    // the same with mov 104(%rbx), %rbp before the call, since 1.24
    {CODE("\x48\x8b\x63\x38\x48\x8b\x6b\x68\xe8"), 18, CODE("\xc3"), 8, 5, {.kind = UNWIND_END}},
    // clone: call *%r12; mov $111, %edi; mov $60, %eax; syscall
    {CODE("\x41\xff\xd4\xbf\x6f\x00\x00\x00\xb8\x3c\x00\x00\x00\x0f\x05"), 15, CODE(""), 0, 3, {.kind = UNWIND_END}},
    // mstart, which clone calls: behind the int3 of the function before, call mstart0; ret; int3. Programs without call
    // frame information are walked by rbp, and here rbp is that of another thread.
    {CODE("\xcc\xe8"), 6, CODE("\xc3\xcc\xcc"), 1, 5, NO_FRAME},
    // goexit, where goroutines return to: nop; call goexit1; nop, and int3 up to the next function
    {CODE("\x90\xe8"), 6, CODE("\x90\xcc\xcc"), 0, 7, {.kind = UNWIND_END}},
    // asmcgocall: mov %rdi, 40(%rsp); mov %rbx, %rdi; mov %rbx, %rcx; call *%rax
    {CODE("\x48\x89\x7c\x24\x28\x48\x89\xdf\x48\x89\xd9\xff\xd0"), 13, CODE(""), 11, 2, GO_CALL},
    // asmcgocall on the system stack already: mov %rdx, 40(%rsp) instead, the stack pointer itself
    {CODE("\x48\x89\x54\x24\x28\x48\x89\xdf\x48\x89\xd9\xff\xd0"), 13, CODE(""), 11, 2, GO_DIRECT_CALL},
    // asmcgocall that calls asmcgocall_landingpad, which jumps to C: sub %rdx, %rdi; mov %rdi, (%rsp); call; mov
    // 8(%rsp), %rdi
    {CODE("\x48\x29\xd7\x48\x89\x3c\x24\xe8"), 12, CODE("\x48\x8b\x7c\x24\x08"), 7, 5, GO_FRAMED_CALL},
    // the same on the system stack already: movq $0, 8(%rsp); mov %rdx, (%rsp); call; mov (%rsp), %rsi
    {CODE("\x48\xc7\x44\x24\x08\x00\x00\x00\x00\x48\x89\x14\x24\xe8"), 18, CODE("\x48\x8b\x34\x24"), 13, 5,
     GO_FRAMED_DIRECT_CALL},
    // sigreturn, where handlers return to: int3, then mov $15, %rax (rt_sigreturn); syscall. Go describes it as a
    // function that was called. From the byte before, since callers are looked up at the return address minus one.
    {CODE("\xcc\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05"), 10, CODE(""), 0, 10, SIGNAL_FRAME},
    // crosscall1, where C calls Go on a new thread: push %r15; mov %rdi, %rbx; mov %rdx, %rdi; call *%rsi; call *%rbx
    {CODE("\x41\x57\x48\x89\xfb\x48\x89\xd7\xff\xd6\xff\xd3"), 12, CODE(""), 8, 4, SIX_PUSHED},
};

const size_t go_shape_count = sizeof(go_shapes) / sizeof(go_shapes[0]);
