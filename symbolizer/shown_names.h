// Mangled names and what is shown for them, remembered so that each is demangled once; the demangling itself is the
// worker's, for it is parsing too. Forgotten as a whole beyond LIMIT_SHOWN_NAMES_BYTES.
#ifndef HEARTH_SYMBOLIZER_SHOWN_NAMES_H
#define HEARTH_SYMBOLIZER_SHOWN_NAMES_H

#include "store/base/buf.h"
#include "symbolizer/worker.h"

#define SHOWN_AS_IT_IS UINT32_MAX

struct shown_names {
    struct buf names; // struct shown_name, in the order they came
    size_t learnt;    // of them, the first ones
    uint32_t *slots;  // hash map by the mangled text: numbers of names, counted from 1; 0: free
    size_t slot_count;
    struct buf texts; // of all; those of the names to be demangled next stand at its end, each with its NUL
    size_t wanted_at; // from here on
};

void shown_names__release(struct shown_names *names);

// Forgets, when there is too much: before a batch, since it ends what shown_names__text returned.
void shown_names__trim(struct shown_names *names);
// Notes a name for the next shown_names__learn, unless it is known. The number of the name; SHOWN_AS_IT_IS for one that
// is not mangled, and without memory.
uint32_t shown_names__want(struct shown_names *names, const char *name);
// Demangles what was wanted. On failure those names are shown as they are.
int shown_names__learn(struct shown_names *names, struct worker *worker);
// What to show for a name, by its number; NULL: the name itself.
const char *shown_names__text(const struct shown_names *names, uint32_t number);

#endif
