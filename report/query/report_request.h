// Requests for reports.
#ifndef HEARTH_REPORT_QUERY_REPORT_REQUEST_H
#define HEARTH_REPORT_QUERY_REPORT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/profile/collapse.h"
#include "report/profile/group.h"
#include "report/profile/stack_filter.h"
#include "store/base/wide.h"

// Zeroes and NULLs ask for everything. Strings and arrays are borrowed for the call.
struct report_request {
    const char *format;                   // "folded", "flame"...; NULL: as the output's name ends, else "top"
    const char *event;                    // NULL: query/source.h says which
    uint64_t since_ns, until_ns;          // wall clock; 0: no bound
    bool has_bucket_low, has_bucket_high; // of events that keep a bucket with each value; otherwise: no bound
    wide bucket_low, bucket_high;         // in the event's unit; high is exclusive
    const uint32_t *pids, *tids;
    size_t pid_count, tid_count;
    const struct group *by;             // of histograms that have stacks: one for each of those; NULL: as recorded
    const char *comm;                   // may be a glob
    const char *cgroup;                 // that one and those below it
    const char *unit, *container, *pod; // patterns of store/owner.h
    bool has_uid;
    uint32_t uid;
    const struct group *group; // what has a root of its own; NULL: each comm
    bool lines;                // a frame for each line of source, not for each function
    bool no_inline;            // only the functions that code belongs to
    struct stack_filter stacks;
    enum collapse_by collapse; // functions put together, after `stacks` chose by them
    const char *function;      // of -f source
    const char *sources;       // the folder that source files are below; NULL: where the debug information says
    bool has_no_sources;       // the text of source files is not read
    const char *title;         // of a difference: the side's name
    bool is_whole_range; // times are those of all intervals of the range, and it is no error that none has samples
};

#endif
