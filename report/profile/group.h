// Whose samples are one: the roots of a picture (--group-by), and the histograms of `report --by`.
#ifndef HEARTH_REPORT_PROFILE_GROUP_H
#define HEARTH_REPORT_PROFILE_GROUP_H

#include "store/base/fault.h"
#include "store/reader/reader.h"

#define GROUP_NAME_BYTES 4096 // PATH_MAX: that of an exe is the longest one

struct group {
    const char *name;  // as the options take it
    const char *words; // "by WORDS"; the key of pprof's labels
    // Of a root, "nginx-12/13", and of a histogram, "13". Cut to fit.
    void (*root)(const struct store_process *process, const struct store_thread *thread,
                 char ret_name[GROUP_NAME_BYTES]);
    void (*key)(const struct store_process *process, const struct store_thread *thread,
                char ret_name[GROUP_NAME_BYTES]);
};

extern const struct group group_of_comms, group_of_threads;
extern const struct group group_compared; // all is one: the two sides of a difference that have different filters

#define GROUP_KEYS_BUT_COMM "pid, tid, cgroup, unit, container, pod, user, exe, or none"

// The parser of an option whose target is a `const struct group *`. -EINVAL: the text is none of the keys.
int group__option(const char *text, void *target, struct fault *fault);

#endif
