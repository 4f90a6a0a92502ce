// Unwind tables in the kernel: each an array of blocks of its own (bpf/wire/unwind_rows.h), reached by number through
// one outer map, all with rules from one list. Bounded in bytes: above the bound, tables whose use was not noticed
// lately give way.
//
// Not for use from two threads at once.
#ifndef HEARTH_COLLECTOR_UNWINDING_UNWIND_TABLES_H
#define HEARTH_COLLECTOR_UNWINDING_UNWIND_TABLES_H

#include "collector/programs/loader.h"
#include "store/base/cleanup.h"
#include "symbolizer/unwind/unwind_rows.h"

struct unwind_tables;

// Tells that a table is about to go: whoever leads to it must stop doing so before this returns.
typedef void unwind_evict_fn(uint32_t table, void *context);

// The loader must have loaded its first object. bytes_max 0: LIMIT_UNWIND_TABLE_BYTES.
int unwind_tables__new(const struct loader *loader, uint64_t bytes_max, unwind_evict_fn *evict, void *context,
                       struct unwind_tables **ret_tables);
void unwind_tables__free(struct unwind_tables *tables);

// Gives a table a number of its own, above 0, and has it put in its place. Cost: copying it. -E2BIG: larger than the
// bound; other errors are the kernel's.
int unwind_tables__publish(struct unwind_tables *tables, const struct unwind_table *table, uint32_t *ret_number);

// Waits until all that was published is in its place: 1 to 10 ms. Nobody is to be led to a table before.
void unwind_tables__settle(struct unwind_tables *tables);

uint64_t unwind_tables__bytes(const struct unwind_tables *tables); // of kernel memory, rows only
size_t unwind_tables__count(const struct unwind_tables *tables);

DEFINE_CLEANUP(struct unwind_tables *, unwind_tables__free);

#endif
