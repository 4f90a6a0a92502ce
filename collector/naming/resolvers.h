// Who names the frames of a binary: a row for each kind of code (store/frame_kinds.def).
#ifndef HEARTH_COLLECTOR_NAMING_RESOLVERS_H
#define HEARTH_COLLECTOR_NAMING_RESOLVERS_H

#include "collector/naming/naming_batches.h"
#include "symbolizer/symbolizer.h"

struct resolver {
    bool by_process; // a process tells the names of its own code, to a thread for that (jit_naming.h)
    // Hands a chain over for every address of a batch. -EAGAIN: the batch is one for the slow lane (naming.h), and
    // nothing was handed over. NULL: there are no names to ask for.
    int (*resolve)(struct symbolizer *symbolizer, const struct batch *batch, symbol_chain_fn *take, void *context);
};

const struct resolver *resolver__of(enum store_binary_kind kind);

#endif
