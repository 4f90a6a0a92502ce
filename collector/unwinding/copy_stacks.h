// --unwind=copy: takes the copied stacks out of their ring buffer as they come, unwinds them in the mappings that their
// process has at that time (symbolizer/unwind/copy_unwind.h), and keeps the frames under the id that the sample's count
// names as its user stack. After a drain they are handed over as chunks, and from there on are stacks like all others.
#ifndef HEARTH_COLLECTOR_UNWINDING_COPY_STACKS_H
#define HEARTH_COLLECTOR_UNWINDING_COPY_STACKS_H

#include <stdint.h>

#include "collector/programs/drain.h"
#include "collector/programs/loader.h"
#include "collector/who/perf_records.h"
#include "collector/who/processes.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "symbolizer/unwind/copy_unwind.h"

struct copy_stacks;

// For tests: what both sides made of one sample (config.compare), in the same words, leaf first.
struct copy_pair {
    uint32_t tgid;
    size_t kernel_count, user_count;
    const uint64_t *kernel_frames, *user_frames; // as bpf/wire/wire.h has them
    enum wire_stack_status kernel_status, user_status;
    struct binaries *binaries; // to which the frames belong
};
typedef void copy_pair_fn(const struct copy_pair *pair, void *context);

// All borrowed, and outlive it. The programs are loaded.
int copy_stacks__new(const struct loader *loader, struct binaries *binaries, struct processes *processes,
                     struct perf_records *records, struct fault *fault, struct copy_stacks **ret_copies);
void copy_stacks__free(struct copy_stacks *copies);

int copy_stacks__fd(const struct copy_stacks *copies); // for epoll: readable when copies have come

// Unwinds what has come, each copy in the mappings of its time: has the records up to then handed to the process table.
// -ENOMEM. Cost: some 20 us a copy.
int copy_stacks__read(struct copy_stacks *copies);

// Gives pairs to `take`, instead of keeping the stacks that were unwound here.
void copy_stacks__compare(struct copy_stacks *copies, copy_pair_fn *take, void *context);

// Puts the stacks of the set that was drained last into the drain.
int copy_stacks__hand_over(struct copy_stacks *copies, uint32_t set, struct drain *drain);

// How many stacks since the start were cut, or ended in the middle.
uint64_t copy_stacks__cut(const struct copy_stacks *copies);
uint64_t copy_stacks__broken(const struct copy_stacks *copies);

DEFINE_CLEANUP(struct copy_stacks *, copy_stacks__free);

#endif
