// The stores of a recording that somebody looks at while it goes on, and then forgets: each holds a minute or so, and
// the last two of them stay, so that there is always a whole minute to read, however long the recording runs. In
// memory (/dev/shm) where that can be had, else in $TMPDIR.
#ifndef HEARTH_COLLECTOR_SESSION_SHORT_STORES_H
#define HEARTH_COLLECTOR_SESSION_SHORT_STORES_H

#include <stdint.h>

#include "collector/session/recorder.h"
#include "store/base/fault.h"
#include "store/system/temporary_store.h"

#define SHORT_STORES_KEPT 2u

struct short_stores {
    uint64_t length_ns; // what one holds, about
    struct temporary_store stores[SHORT_STORES_KEPT];
    uint64_t starts_ns[SHORT_STORES_KEPT]; // CLOCK_REALTIME; 0: there is none
    uint32_t last;                         // that intervals go to
};

// The functions of an owner that are about its stores; `context` must be the short_stores.
int short_stores__open(void *context, uint64_t start_ns, const struct store_meta *meta, struct fault *fault,
                       struct store_writer **ret_writer);
bool short_stores__leaves(void *context, uint64_t start_ns);
void short_stores__lose(void *context);

// The files that there are, the older one first. Returns how many.
size_t short_stores__paths(const struct short_stores *stores, const char *ret_paths[SHORT_STORES_KEPT]);
// Removes them.
void short_stores__remove(struct short_stores *stores);

#endif
