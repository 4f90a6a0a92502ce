// Rows for code that has no call frame information of its own, and that its instructions or its role make certain.
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_EXTRAS_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_EXTRAS_H

#include "symbolizer/arch/unwind_shapes.h"
#include "symbolizer/unwind/unwind_elf.h"

// Procedure linkage tables (lld and gold write no CFI for some), _init and _fini, and the entry point.
int unwind_extras__each(const struct unwind_elf *elf, unwind_extra_fn *take, void *context);

// In a hole between functions: signal trampolines (musl's and Go's have no CFI), and gcc's __do_global_dtors_aux, which
// runs the destructors of a program or library, with the functions beside it (crtstuff.c).
int unwind_extras__each_in_hole(const struct unwind_elf *elf, uint64_t file_offset, uint64_t bytes,
                                unwind_extra_fn *take, void *context);

// Whether code at an offset is glibc's __start_context, where a makecontext() coroutine returns to: it has CFI up to
// glibc 2.36 at least, which leads nowhere. bytes: of the function.
bool unwind_extras__is_start_context(const struct unwind_elf *elf, uint64_t file_offset, uint64_t bytes);

#endif
