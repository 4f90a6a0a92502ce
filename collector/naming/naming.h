// Names for frames, found away from the drain: threads that take the new frames of each binary as one batch, ask the
// symbolizer, and hand the names back to the main thread.
//
// There are two lanes. A binary that takes longer than LIMIT_QUICK_CPU_S (some large debug information does, and
// files that were made for that) goes on in the slow lane, with limits of its own, and the others are not delayed.
// JIT code is named in a thread of its own (jit_naming.h).
#ifndef HEARTH_COLLECTOR_NAMING_NAMING_H
#define HEARTH_COLLECTOR_NAMING_NAMING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collector/naming/code.h"
#include "collector/naming/jit_naming.h"
#include "store/base/fault.h"
#include "store/store_types.h"
#include "symbolizer/symbolizer.h"

struct naming;

int naming__new(const struct symbolizer_options *options, struct fault *fault, struct naming **ret_naming);
// Stops the threads where they are; names not yet handed back are lost.
void naming__free(struct naming *naming);

// Wants a name for a place in that code; it comes with the tag, the asker's own word for the frame, which is not 0. The
// wish waits until naming__start. -ENOMEM: the frame stays nameless.
int naming__want(struct naming *naming, const struct code *code, uint64_t place, uint64_t tag);

// The process runs code of its own making (jit_naming.h). Any thread.
void naming__see_jit(struct naming *naming, const struct jit_owner *owner);

// Lets the thread begin with all that was wanted so far.
void naming__start(struct naming *naming);

// Gives the names found so far to `take`. Where `take` fails, returns its error, and that name and those after it wait
// for the next call; naming pauses while too many wait.
typedef int naming_take_fn(uint64_t tag, const struct store_line *chain, size_t length, void *context);
int naming__collect(struct naming *naming, naming_take_fn *take, void *context);

// Whether all that was wanted has been collected. Code that a process named itself, or did not, counts too.
bool naming__is_idle(struct naming *naming);

// At the end, again and again: as naming__start, then waits until there are names to collect. False: everything is
// named, or LIMIT_NAMING_END_S have passed since the first call.
bool naming__wait(struct naming *naming);

// Binaries (and JITs), since the start. Any thread.
struct naming_losses {
    uint64_t failed;  // no names: damaged, over the limits, or not done at the end
    uint64_t partial; // their debug information could not be read whole: damaged or over the limits
};
struct naming_losses naming__losses(struct naming *naming);

DEFINE_CLEANUP(struct naming *, naming__free);

#endif
