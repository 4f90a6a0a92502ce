// Code that is known by its bytes, and how a copied stack is followed where there is no call frame information.
#ifndef HEARTH_SYMBOLIZER_ARCH_CODE_SHAPES_H
#define HEARTH_SYMBOLIZER_ARCH_CODE_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/arch/registers.h"

struct code_shape {
    const char *name; // of the function
    uint8_t code[12];
    uint8_t code_bytes; // of `code`
    uint8_t bytes;      // of the whole
};

// Where a signal handler returns to: glibc's, musl's and Go's code, which gdb and libgcc know a signal frame by, too.
extern const struct code_shape code_signal_return;
// Where a function that makecontext() has started returns to (glibc).
extern const struct code_shape code_context_start;

bool code_shape__begins(const struct code_shape *shape, const uint8_t *code, size_t bytes);

// Whether a call may end with the last of these bytes.
#define CODE_CALL_BYTES 7
bool code__is_call_before(const uint8_t code[CODE_CALL_BYTES]);

// The frame that the kernel leaves at the stack pointer of a signal handler's caller: ARCH_REGISTERS registers from
// `at` on, and which of DWARF's numbers each has.
struct signal_registers {
    uint64_t at;
    uint8_t numbers[ARCH_REGISTERS];
};
extern const struct signal_registers code_signal_registers;

#endif
