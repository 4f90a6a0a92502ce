// Mangled names and what is shown for them, remembered so that each is demangled once; the demangling itself is the
// worker's, for it is parsing too. Forgotten as a whole beyond LIMIT_SHOWN_NAMES_BYTES.
#ifndef HEARTH_SYMBOLIZER_SHOWN_NAMES_H
#define HEARTH_SYMBOLIZER_SHOWN_NAMES_H

#include "store/base/buf.h"
#include "symbolizer/worker.h"

struct shown_names {
    struct shown_name *slots; // hash map by the mangled text
    size_t slot_count;
    size_t used;
    struct buf texts;  // of all
    struct buf wanted; // names to be demangled next, each with its NUL
    size_t wanted_count;
};

void shown_names__release(struct shown_names *names);

// Forgets, when there is too much: before a batch, since it ends what shown_names__find returned.
void shown_names__trim(struct shown_names *names);
// Notes a name for the next shown_names__learn, unless it is known or not mangled.
void shown_names__want(struct shown_names *names, const char *name);
// Demangles what was wanted. On failure those names are shown as they are.
int shown_names__learn(struct shown_names *names, struct worker *worker);
// What to show for a name; the name itself when nothing better is known.
const char *shown_names__find(const struct shown_names *names, const char *name);

#endif
