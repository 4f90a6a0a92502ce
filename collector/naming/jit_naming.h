// Names of JIT code, in a thread of its own: processes with such code are known from the first sample in it, so that
// the files they leave for profilers are open when the process ends (symbolizer/naming/jit_place.h).
//
//   note: PID 812 runs code that no file holds   -> its map and dump are opened, and those of whom it was forked from
//   wanted: address 7f12..., tag 93              -> asked now; no answer yet: again, later and later
//   PID 812 has ended                            -> asked for the last time: what it wrote at its end counts
//
// Files that grow are read on from where the last reading ended, and read again from their start only for addresses
// that are new. Reading takes a bounded share of a CPU: after each there is a rest, of this process and of all.
#ifndef HEARTH_COLLECTOR_NAMING_JIT_NAMING_H
#define HEARTH_COLLECTOR_NAMING_JIT_NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/naming/jit_process.h"
#include "store/base/cleanup.h"
#include "symbolizer/worker/worker.h"

struct jit_naming;

// 0, or why there is no thread.
int jit_naming__new(struct worker *worker, jit_named_fn *take, void *context, struct jit_naming **ret_naming);
void jit_naming__free(struct jit_naming *naming); // stops it where it is; worker__cancel goes before

// The process runs code of its own making: opens its files. Any thread.
void jit_naming__see(struct jit_naming *naming, const struct jit_owner *owner);

// Wants a name for an address; it comes with the tag, which is not 0. The request waits until jit_naming__start.
// -ENOMEM: the address stays nameless.
int jit_naming__want(struct jit_naming *naming, const struct jit_owner *owner, uint64_t address, uint64_t tag);
void jit_naming__start(struct jit_naming *naming);

// Whether everything that was wanted has its name.
bool jit_naming__is_idle(struct jit_naming *naming);

// Asks for everything once more, and waits until that is done, or LIMIT_JIT_END_S.
void jit_naming__finish(struct jit_naming *naming);

// Processes whose names could not be read, or were given up. Any thread.
uint64_t jit_naming__failed(struct jit_naming *naming);

DEFINE_CLEANUP(struct jit_naming *, jit_naming__free);

#endif
