// Records of a fixed size, each known by its first bytes, numbered as they come: what the writer remembers of
// processes, threads, binaries, frames and nodes, and by what the reader joins those of several files.
//
//   key {parent 7, frame 12}  ->  id 8        the next one is 9, and so on
//
// Records are compared as bytes: they must have no holes. Ids go from `base` on; those from `written` on have not
// reached the file yet.
#ifndef HEARTH_STORE_DICTIONARY_H
#define HEARTH_STORE_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/slot_set.h"

struct dictionary {
    uint32_t record_bytes;
    uint32_t key_bytes; // a multiple of 4
    uint32_t limit;     // records kept after a write; 0: no limit
    uint32_t base, count, capacity, written;
    uint8_t *records;
    struct slot_set map;
};

#define DICTIONARY(record_type, key_size, most)                                                                        \
    {                                                                                                                  \
        .record_bytes = sizeof(record_type), .key_bytes = (key_size), .limit = (most), .base = 1, .written = 1         \
    }

// The id of the record that has this key; a new one is a copy of `record`. -ENOBUFS: too many wait to be written.
int dictionary__intern(struct dictionary *dictionary, const void *record, uint32_t *ret_id, bool *ret_is_new);
// The record of an id; NULL where it is not remembered. Valid until the next intern.
void *dictionary__record(const struct dictionary *dictionary, uint32_t id);
static inline uint32_t dictionary__end(const struct dictionary *dictionary)
{
    return dictionary->base + dictionary->count;
}
// All records are in the file now. Past the limit they are forgotten: true then.
bool dictionary__wrote(struct dictionary *dictionary);
void dictionary__restart(struct dictionary *dictionary);
void dictionary__release(struct dictionary *dictionary);

#endif
