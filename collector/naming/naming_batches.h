// The frames that wait for names: one batch for each binary, and one for all code of a kind that has none, as the
// kernel's.
#ifndef HEARTH_COLLECTOR_NAMING_NAMING_BATCHES_H
#define HEARTH_COLLECTOR_NAMING_NAMING_BATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "collector/naming/guest_codes.h"
#include "collector/who/binaries.h"
#include "store/base/id_map.h"

struct batch {
    enum store_binary_kind kind;
    const struct binary *binary;      // NULL: the kind has none
    const struct guest_codes *guests; // of functions of guests
    uint64_t *addresses;              // in a binary: offsets
    uint64_t *tags;                   // see naming__want
    size_t count, capacity;
};

struct batches {
    struct batch *rows;
    size_t count, capacity;
    struct id_map by_key;
};

void batches__release(struct batches *batches);

// Adds one address to the batch it belongs to. -ENOMEM.
int batches__add(struct batches *batches, const struct batch *like, uint64_t address, uint64_t tag);
// Adds all of a batch to the one of its kind here.
int batches__join(struct batches *batches, const struct batch *batch);

#endif
