// The keys by which samples are grouped: a root of a picture for each value (--group-by), or a histogram (`report -f
// hist
// --by`).
#ifndef HEARTH_REPORT_PROFILE_GROUP_H
#define HEARTH_REPORT_PROFILE_GROUP_H

#include "store/base/fault.h"
#include "store/reader/reader.h"

#define GROUP_NAME_BYTES 4096 // PATH_MAX: that of an exe is the longest one

struct group {
    const char *name;  // as the options take it
    const char *words; // "by WORDS"; the key of pprof's labels
    // Write the name of the root, "nginx-12/13", and that of the histogram, "13", cut to fit.
    void (*root)(const struct store_process *process, const struct store_thread *thread,
                 char ret_name[GROUP_NAME_BYTES]);
    void (*key)(const struct store_process *process, const struct store_thread *thread,
                char ret_name[GROUP_NAME_BYTES]);
};

extern const struct group group_of_comms, group_of_threads, group_of_processes;
extern const struct group group_of_perf;  // as perf script names threads: "nginx 12/13"
extern const struct group group_compared; // one root: the two sides of a difference have different filters

#define GROUP_KEYS_BUT_COMM "pid, tid, cgroup, unit, container, pod, user, exe, or none"

// The parser of an option whose target is a `const struct group *`. -EINVAL: the text is none of the keys.
int group__option(const char *text, void *target, struct fault *fault);

#endif
