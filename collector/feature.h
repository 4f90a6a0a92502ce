// What this kernel and this user allow: one table, each row probed by trying it, shown by `hearth doctor`, and asked
// where hearth has another way to go.
#ifndef HEARTH_COLLECTOR_FEATURE_H
#define HEARTH_COLLECTOR_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/fault.h"

enum feature_kind {
    FEATURE_NEEDED,   // without it nothing can be recorded
    FEATURE_OPTIONAL, // without it something is lost, or dearer
};

struct feature {
    const char *name;
    enum feature_kind kind;
    int (*probe)(void); // 0: it is there; -Exxx: why it is not
    const char *lost;   // what is lost without it
    const char *advice; // what to do; NULL: nothing can be done here
};

extern const struct feature features[]; // ended by a row without a name

// 0, or what is lost without the feature of that name and what to do, as doctor says it.
int feature__require(const char *name, struct fault *fault);

// Probes that the code itself asks.
int feature__lazy_maps(void); // perf_event programs may use hash maps whose entries are allocated as needed (6.1)
int feature__btf(void);
int feature__fentry(void);

#endif
