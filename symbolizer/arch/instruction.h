// The instructions of x86-64 code, as far as a probe needs to know them: where one ends, and whether the kernel can put
// a breakpoint on it.
//
//   instruction__bytes("\x41\x57...", 16) = 2          push %r15
//   instruction__is_probeable("\xc5\xf8\x77", 3) = false      vzeroupper
//
// The kernel tells instructions apart by their opcode byte, also where an AVX prefix (VEX, EVEX) gives it another
// meaning (arch/x86/kernel/uprobes.c, OPCODE1). The kernel takes vzeroupper, vmovdqa or vpbroadcastb for jumps, and
// goes on without having executed them; others it refuses to probe, and says so only when a process maps the file.
#ifndef HEARTH_SYMBOLIZER_ARCH_INSTRUCTION_H
#define HEARTH_SYMBOLIZER_ARCH_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTRUCTION_BYTES_MAX 15

// 0: no instruction, or none that is known, or its end lies behind `available`.
size_t instruction__bytes(const uint8_t *code, size_t available);

bool instruction__is_probeable(const uint8_t *code, size_t available);

// The bytes of an AVX instruction that touches neither the stack pointer nor a general register, so that behind it a
// function's arguments and its return address are where they were; 0: of any other.
size_t instruction__vector_bytes(const uint8_t *code, size_t available);

// Bytes to go on from a function's entry, to where a probe is right and cheap: its arguments and its return address are
// still where they were.
size_t instruction__entry_skip(const uint8_t *code, size_t bytes);

#endif
