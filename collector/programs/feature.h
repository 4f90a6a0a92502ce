// The features that hearth uses of this kernel, as this user: one table. Each row is probed by trying it; `hearth
// doctor` shows the table, and callers that can do without a feature ask for it.
#ifndef HEARTH_COLLECTOR_PROGRAMS_FEATURE_H
#define HEARTH_COLLECTOR_PROGRAMS_FEATURE_H

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
    const char *lost;   // the loss without it
    const char *advice; // how to get it; NULL: not possible here
};

extern const struct feature features[]; // ended by a row without a name

// 0, or what is lost without the feature of that name and what to do, as doctor says it.
int feature__require(const char *name, struct fault *fault);

// Probes that the code itself asks.
int feature__lazy_maps(void); // perf_event programs may use hash maps whose entries are allocated as needed (6.1)
int feature__btf(void);
int feature__fentry(void);

#endif
