// Who names the frames of a kind of code. A new one is a file resolver_NAME.c, with a `const struct resolver
// resolver_NAME`, and the word NAME in a row of store/frame_kinds.def.
#ifndef HEARTH_COLLECTOR_NAMING_RESOLVER_H
#define HEARTH_COLLECTOR_NAMING_RESOLVER_H

#include "collector/naming/naming_batches.h"
#include "symbolizer/symbolizer.h"

struct resolver {
    bool by_process; // a process tells the names of its own code, to a thread for that (jit_naming.h)
    // Hands a chain over for every address of a batch. -EAGAIN: the batch is one for the slow lane (naming.h), and
    // nothing was handed over. NULL: there are no names to ask for.
    int (*resolve)(struct symbolizer *symbolizer, const struct batch *batch, symbol_chain_fn *take, void *context);
};

#endif
