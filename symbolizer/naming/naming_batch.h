// The addresses of one binary, named together: searched once each and in the order of the file, so that a search falls
// where the one before it did; what is the same is put together once; every mangled name is demangled once.
#ifndef HEARTH_SYMBOLIZER_NAMING_NAMING_BATCH_H
#define HEARTH_SYMBOLIZER_NAMING_NAMING_BATCH_H

#include "symbolizer/naming/index_set.h"
#include "symbolizer/naming/shown_names.h"

struct naming_batch {
    uint64_t *order; // the offsets, ascending, each with its index in the caller's order: naming_batch.c
    size_t count;
};

// Sorts offsets, of any order. -ENOMEM; -E2BIG: more than 16 million at once.
int naming_batch__new(const uint64_t *offsets, size_t count, struct naming_batch *ret_batch);
void naming_batch__release(struct naming_batch *batch);

// Gives each of them to `take` with its chain, as symbolizer__resolve_file says; without one where memory did not
// suffice for it (-ENOMEM). `names` NULL: names as they stand.
int naming_batch__give(const struct naming_batch *batch, const struct index_pieces *pieces, bool no_inline,
                       struct shown_names *names, struct worker *worker, symbol_chain_fn *take, void *context);

#endif
