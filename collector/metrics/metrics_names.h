// CPU time by a name (a unit, a comm, a binary), of at most LIMIT_METRICS_NAMES names and of all others together, for
// as long as the daemon runs. Each interval's time is told under one name, or among the others:
//
//   the names with the most CPU time of late are told; one takes another's place when it has twice as much
//   a name that is told no more keeps what it has while it is remembered, and goes on from there when it comes back
//
// So the sum that is told of a name never falls while it is remembered, and that of the others never. The sum of a name
// that is told no more is not added to the others: their rate would jump by it.
#ifndef HEARTH_COLLECTOR_METRICS_METRICS_NAMES_H
#define HEARTH_COLLECTOR_METRICS_METRICS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/limits.h"

#define METRICS_OTHERS     "other"
#define METRICS_NAME_BYTES 256 // with the NUL; of a longer name the end is kept

struct metrics_name {
    char name[METRICS_NAME_BYTES]; // clean (safe_text.h)
    uint64_t told_ns;
};

struct metrics_candidate {
    struct metrics_name name;
    uint64_t hash;
    uint64_t now_ns;  // of this interval
    double recent_ns; // a tenth less with each interval
    bool is_told;
};

struct metrics_names {
    struct metrics_candidate candidates[LIMIT_METRICS_CANDIDATES];
    size_t count, told_count;
    uint64_t others_ns;
    uint64_t forgotten_ns; // was told of names that are not remembered any more
};

// Time of this interval.
void metrics_names__add(struct metrics_names *names, const char *name, uint64_t ns);
// The interval is over.
void metrics_names__end(struct metrics_names *names);
// Those that are told, in no order that lasts; returns how many.
size_t metrics_names__list(const struct metrics_names *names, struct metrics_name ret_told[LIMIT_METRICS_NAMES]);

// A name as metrics have it: clean, and cut to its end.
void metrics_name__clean(const char *text, char *out, size_t out_bytes);

#endif
