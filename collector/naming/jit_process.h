// One process with JIT code, for jit_naming.h: its files, and the addresses that have no name yet.
#ifndef HEARTH_COLLECTOR_NAMING_JIT_PROCESS_H
#define HEARTH_COLLECTOR_NAMING_JIT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "symbolizer/naming/jit_place.h"
#include "symbolizer/symbolizer.h"

struct jit_owner { // whose code it is
    uint32_t tgid;
    uint32_t forked_from; // whose code it may run too: its parent, until it has executed something; 0: not known
    uint64_t start_boot_ns;
    uint32_t uid;
};

// Gives a name to what was asked for with this tag, in the thread.
typedef void jit_named_fn(uint64_t tag, const struct symbol *symbol, void *context);

enum { JIT_LINEAGE = 4 }; // processes whose code it may run: itself, and whom it was forked from

struct jit_process {
    struct jit_owner owner;
    struct jit_place places[JIT_LINEAGE]; // its own first
    size_t place_count;
    uint64_t *addresses; // without a name
    uint64_t *tags;
    size_t count, capacity;
    bool has_new; // some were never asked
    bool has_ended;
    bool has_failed;
    uint64_t due_ns;  // when it is asked again (CLOCK_MONOTONIC); UINT64_MAX: no need
    uint64_t wait_ns; // how long it was waited for the last time
    uint64_t used;    // the round in which it was last wanted, or was found to have ended
};

// Whether two are the same: both sides measure start times a little differently.
bool jit_owner__is(const struct jit_owner *a, const struct jit_owner *b);

// Finds the process and opens its files. -ENOMEM.
int jit_process__new(const struct jit_owner *owner, struct jit_process **ret_process);
void jit_process__free(struct jit_process *process);

int jit_process__add(struct jit_process *process, uint64_t address, uint64_t tag, uint64_t now_ns); // -ENOMEM
void jit_process__drop_half(struct jit_process *process);                                           // the older one

// Finds out whether it has ended, which calls for a last question.
void jit_process__check(struct jit_process *process, uint64_t now_ns);

// Asks for all that has no name; what has one is given to `take` and forgotten. Returns the CPU time, in us.
uint64_t jit_process__ask(struct jit_process *process, struct worker *worker, bool is_last, jit_named_fn *take,
                          void *context);
// When to ask again, after it was asked.
void jit_process__wait(struct jit_process *process, uint64_t now_ns, uint64_t cost_us);

DEFINE_CLEANUP(struct jit_process *, jit_process__free);

#endif
