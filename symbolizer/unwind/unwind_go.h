// Where Go's runtime calls functions on another stack than the caller's: systemstack, mcall, morestack, and the start
// of its threads. Their call frame information goes on as if nothing had happened, into whatever that stack held
// before; for an unwinder the stack ends there, as it does at the start of a coroutine. Not so where asmcgocall calls
// C: there the runtime keeps where the goroutine's stack goes on. And where goroutines return to, nobody has called.
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_GO_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_GO_H

#include "symbolizer/unwind/unwind_elf.h"

// Calls `take` with the place in the file of each such call instruction and its rule; returns 0, or what ended the
// walk. -ENOMEM. Costs nothing for programs that Go has not linked, and 1 ms for 1 MB of code of those that it has.
typedef int unwind_go_fn(uint64_t file_offset, uint64_t bytes, struct unwind_rule rule, void *context);
int unwind_go__each_switch(const struct unwind_elf *elf, unwind_go_fn *take, void *context);

#endif
