// Unwinds a stack that was copied: the registers at the sample, the bytes above the stack pointer, and the files that
// the process maps are all that libunwind is given; the process itself is not asked and may be gone. Slow beside the
// kernel's tables (some 10 us a stack), but it knows every rule that DWARF has.
//
//   struct copied_stack in = {.registers = r, .stack_address = sp - 128, .stack = bytes, .stack_bytes = n, .find =
//   find}; copy_unwind__run(unwind, &in, &out);      // out.frames[0..out.count), leaf first, and how it ended
//
// A frame on another stack than the copied one is out of reach: below a signal handler on an alternate stack, the
// code that was interrupted is the last frame. Code without call frame information is passed by its frame pointer where
// that leads to a place behind a call, and ends the stack where it does not.
#ifndef HEARTH_SYMBOLIZER_UNWIND_COPY_UNWIND_H
#define HEARTH_SYMBOLIZER_UNWIND_COPY_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/arch/registers.h"
#include "store/base/cleanup.h"

#define COPY_FRAMES_MAX 512 // above: the innermost are kept, and the stack counts as cut

enum copy_status {
#define STACK_STATUS(name, ...) COPY_STACK_##name,
#include "bpf/wire/stack_status.def"
#undef STACK_STATUS
};

// Executable memory of the process.
struct copy_mapping {
    uint64_t start, end;
    uint64_t file_offset;
    uint32_t binary;      // names the file for as long as the unwinder lives; 0: code without a file
    int fd;               // the file, borrowed as long; -1: none, or
    const uint8_t *image; // its contents, borrowed as long
    size_t image_bytes;
};

// False: there is no executable memory at that address.
typedef bool copy_mapping_fn(uint64_t address, struct copy_mapping *ret_mapping, void *context);

struct copied_stack {
    const uint64_t *registers; // ARCH_REGISTERS, as DWARF numbers them
    uint64_t stack_address;    // of stack[0]; lies below the stack pointer, by what leaves use there
    const uint8_t *stack;
    size_t stack_bytes;
    bool is_cut; // the stack reaches further up than the copy
    copy_mapping_fn *find;
    void *context;
};

// A caller's offset is that of its return address minus one, which lies inside the call; the leaf's, and that of the
// frame a signal interrupted, are exact.
struct copy_frame {
    uint32_t binary; // 0: code without a file, or in no mapping, and
    uint64_t offset; // the address itself
};

struct copy_result {
    struct copy_frame frames[COPY_FRAMES_MAX];
    size_t count;
    enum copy_status status;
};

struct copy_unwind;
int copy_unwind__new(struct copy_unwind **ret_unwind);
void copy_unwind__free(struct copy_unwind *unwind);

// -ENOMEM; whatever else goes wrong is in the result's status.
int copy_unwind__run(struct copy_unwind *unwind, const struct copied_stack *stack, struct copy_result *ret_result);

DEFINE_CLEANUP(struct copy_unwind *, copy_unwind__free);

#endif
