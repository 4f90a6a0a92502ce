// Mangled names and what is shown for them, remembered so that each is demangled once; the demangling itself is the
// worker's, for it is parsing too. Forgotten as a whole beyond LIMIT_SHOWN_NAMES_BYTES.
#ifndef HEARTH_SYMBOLIZER_NAMING_SHOWN_NAMES_H
#define HEARTH_SYMBOLIZER_NAMING_SHOWN_NAMES_H

#include "store/base/buf.h"
#include "store/base/slot_set.h"
#include "symbolizer/worker/worker.h"

#define SHOWN_AS_IT_IS UINT32_MAX

struct shown_names {
    struct buf names;        // struct shown_name, in the order they came
    size_t begun;            // of them: the first ones are known, or on their way
    struct slot_set by_name; // of the mangled texts
    struct buf texts;        // of all, each with its NUL
};

struct learning { // of names that a worker has
    size_t first, count;
    struct worker_names *job; // NULL: none
};

void shown_names__release(struct shown_names *names);

// Forgets, when there is too much: before a batch, since it ends what shown_names__text returned.
void shown_names__trim(struct shown_names *names);
// Notes a name to be demangled, unless it is known. The number of the name; SHOWN_AS_IT_IS for one that is not mangled,
// and without memory.
uint32_t shown_names__want(struct shown_names *names, const char *name);
// How many are noted, and not begun.
size_t shown_names__wanted(const struct shown_names *names);
// Has what is wanted demangled, and waits for it: several may be under way, which are ended in the order they were
// begun. Where it fails, those names are shown as they are.
void shown_names__begin(struct shown_names *names, struct worker *worker, struct learning *ret_learning);
void shown_names__end(struct shown_names *names, struct learning *learning);
// The text to show for a name, by its number; NULL: the name itself.
const char *shown_names__text(const struct shown_names *names, uint32_t number);

#endif
