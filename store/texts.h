// Texts kept once each: equal texts are the same pointer, which stays where it is until the release. Ids count up from
// `base`; the empty text is an id like others.
#ifndef HEARTH_STORE_TEXTS_H
#define HEARTH_STORE_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/slot_set.h"

struct texts {
    struct slot_set map;
    const char **texts;
    uint32_t count;
    uint32_t capacity;
    uint32_t base; // the id of texts[0]: 1 at first (0 means 1 too), more after a restart
    size_t bytes;  // of all texts
    struct texts_chunk *chunk;
};

// 0 or -ENOMEM.
int texts__intern(struct texts *texts, const char *text, size_t length, uint32_t *ret_id);
// NULL where the id is not there, or no longer.
const char *texts__text(const struct texts *texts, uint32_t id);
uint32_t texts__end(const struct texts *texts); // one above the last id
// Forgets all texts; ids go on.
void texts__restart(struct texts *texts);
void texts__release(struct texts *texts);

#endif
