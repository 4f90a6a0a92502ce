// Code that has no call frame information and is known by its instructions: the rows of the linker's stubs, of what gcc
// and the libc link into every program, and of signal trampolines. All bytes are those of the file.
#ifndef HEARTH_SYMBOLIZER_ARCH_UNWIND_SHAPES_H
#define HEARTH_SYMBOLIZER_ARCH_UNWIND_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/unwind_rows.h"

// Returns 0, or what ended the walk.
typedef int unwind_extra_fn(uint64_t address, uint64_t bytes, struct unwind_rule rule, void *context);

struct unwind_code {
    const uint8_t *data;
    size_t bytes;
    uint64_t address; // of data[0], as `take` gets it
};

// By the section's name: procedure linkage tables, and _init and _fini, each alone in .init and .fini.
int unwind_shapes__section(const char *name, const struct unwind_code *code, unwind_extra_fn *take, void *context);
// Signal trampolines, and gcc's __do_global_dtors_aux with the functions beside it, anywhere in the code.
int unwind_shapes__in_hole(const struct unwind_code *code, unwind_extra_fn *take, void *context);

// The name of the register that a rule adds cfa_offset to: of UNWIND_SP, UNWIND_BP and UNWIND_BX.
const char *unwind_shapes__register(enum unwind_kind kind);

// Where Go's runtime calls functions on another stack, by the code around the call (symbolizer/unwind/unwind_go.h).
struct go_shape {
    const uint8_t *head; // the first bytes
    size_t head_bytes;
    size_t tail_at; // of the bytes further on, behind a distance
    const uint8_t *tail;
    size_t tail_bytes;
    size_t call_at, call_bytes;
    struct unwind_rule rule;
};
extern const struct go_shape go_shapes[];
extern const size_t go_shape_count;

#endif
