#include "collector/session/short_stores.h"

#include <string.h>

#define MEMORY "/dev/shm"

// The writer of the file that goes is closed by then: its names have come, or come no more (recorder_owner).
int short_stores__open(void *context, uint64_t start_ns, const struct store_meta *meta, struct fault *fault,
                       struct store_writer **ret_writer)
{
    struct short_stores *stores = context;
    uint32_t next = (stores->last + 1) % SHORT_STORES_KEPT;
    struct temporary_store store = {0};
    struct fault ignored;
    int err = temporary_store__make_in(MEMORY, &store, &ignored);
    if (err)
        err = temporary_store__make(&store, fault);
    if (!err)
        err = store_writer__create(store.path, meta, fault, ret_writer);
    if (err) {
        temporary_store__remove(&store);
        return err;
    }
    temporary_store__remove(&stores->stores[next]);
    stores->stores[next] = store;
    stores->starts_ns[next] = start_ns;
    stores->last = next;
    return 0;
}

bool short_stores__leaves(void *context, uint64_t start_ns)
{
    const struct short_stores *stores = context;
    uint64_t since_ns = stores->starts_ns[stores->last];
    return start_ns < since_ns || start_ns - since_ns >= stores->length_ns; // a clock may be set back
}

// The next interval goes to another file.
void short_stores__lose(void *context)
{
    struct short_stores *stores = context;
    temporary_store__remove(&stores->stores[stores->last]);
    stores->starts_ns[stores->last] = 0;
    stores->last = (stores->last + SHORT_STORES_KEPT - 1) % SHORT_STORES_KEPT; // the next one takes its place
}

size_t short_stores__paths(const struct short_stores *stores, const char *ret_paths[SHORT_STORES_KEPT])
{
    size_t count = 0;
    for (uint32_t i = 1; i <= SHORT_STORES_KEPT; i++) {
        uint32_t at = (stores->last + i) % SHORT_STORES_KEPT;
        if (stores->stores[at].folder[0])
            ret_paths[count++] = stores->stores[at].path;
    }
    return count;
}

void short_stores__remove(struct short_stores *stores)
{
    for (uint32_t i = 0; i < SHORT_STORES_KEPT; i++)
        temporary_store__remove(&stores->stores[i]);
}
