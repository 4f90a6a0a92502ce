#include "symbolizer/arch/code_shapes.h"

#include <string.h>

// mov $15, %rax (rt_sigreturn); syscall
const struct code_shape code_signal_return = {"__restore_rt", {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, 9, 9};

// mov %rbx, %rsp; mov (%rsp), %rdi; test %rdi, %rdi; je (sysdeps/unix/sysv/linux/x86_64/__start_context.S)
const struct code_shape code_context_start = {
    "__start_context", {0x48, 0x89, 0xdc, 0x48, 0x8b, 0x3c, 0x24, 0x48, 0x85, 0xff, 0x74}, 11, 26};

// Behind 40 bytes of struct ucontext (uapi asm/sigcontext.h): r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip.
const struct signal_registers code_signal_registers = {40, {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16}};

bool code_shape__begins(const struct code_shape *shape, const uint8_t *code, size_t bytes)
{
    return bytes >= shape->code_bytes && memcmp(code, shape->code, shape->code_bytes) == 0;
}

// e8 with 4 bytes, or ff /2 with 2 to 7 bytes in all.
bool code__is_call_before(const uint8_t code[CODE_CALL_BYTES])
{
    if (code[2] == 0xe8)
        return true;
    for (size_t i = 0; i < 6; i++)
        if (code[i] == 0xff && (code[i + 1] >> 3 & 7) == 2)
            return true;
    return false;
}
