// The options by which `report` and `diff` choose from a store, and the request made of them.
#ifndef HEARTH_REPORT_QUERY_FILTER_H
#define HEARTH_REPORT_QUERY_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "report/profile/collapse.h"
#include "report/query/report.h"
#include "store/base/fault.h"
#include "store/base/name_pattern.h"
#include "store/base/options.h"

struct id_list {
    uint32_t *ids;
    size_t count;
};

struct filter {
    const char *event, *since, *until;
    struct id_list pids, tids;
    const char *comm, *cgroup, *unit, *container, *pod, *uid, *cpu, *bucket;
    const struct group *group;
    bool threads, lines, no_inline;
    struct stack_filter stacks;
    enum collapse_by collapse;
};

int filter__ids(const char *text, void *target, struct fault *fault); // "12,34", adds to a struct id_list

extern const struct option_row filter_rows[];       // of a struct filter
extern const struct option_row stack_filter_rows[]; // of its struct stack_filter alone

// Borrows from the filter. -EINVAL and EXIT_CODE_USAGE where a word makes no sense.
int filter__request(const struct filter *filter, struct fault *fault, struct report_request *ret_request);

// "LOW..HIGH", each end with a unit (ns us ms s, B KiB MiB GiB) or none, either end left out. HIGH is exclusive; 0:
// none.
int filter__bucket(const char *text, struct fault *fault, struct report_request *ret_request);

// The store that is meant where none is named: ./hearth.db, else the daemon's.
const char *filter__store(const char *named);

#endif
