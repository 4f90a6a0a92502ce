// What `report` and `diff` take from a store: the options, and the request made of them.
#ifndef HEARTH_REPORT_QUERY_FILTER_H
#define HEARTH_REPORT_QUERY_FILTER_H

#include <stdbool.h>
#include <stdint.h>

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
    const char *comm, *cgroup, *uid, *cpu, *bucket;
    bool threads, lines, no_inline;
};

int filter__ids(const char *text, void *target, struct fault *fault); // "12,34", adds to a struct id_list

#define FILTER_ROWS(filter)                                                                                            \
    {'e', "event", "EVENT", "the event (the only one, else cpu)", option__string, &(filter).event},                    \
        {0,                                                                                                            \
         "since",                                                                                                      \
         "TIME",                                                                                                       \
         "from: -1h, 12:30, yesterday, \"2026-11-21 12:30\", @UNIX",                                                   \
         option__string,                                                                                               \
         &(filter).since},                                                                                             \
        {0, "until", "TIME", "up to", option__string, &(filter).until},                                                \
        {'p', "pid", "PID[,PID...]", "only these processes", filter__ids, &(filter).pids},                             \
        {'t', "tid", "TID[,TID...]", "only these threads", filter__ids, &(filter).tids},                               \
        {'u', "uid", "USER", "only this user's processes: a name or a number", option__string, &(filter).uid},         \
        {'G', "cgroup", "PATH", "only this cgroup and those below it", option__string, &(filter).cgroup},              \
        {'C', "cpu", "LIST", "cannot be asked of a store: it keeps no CPUs", option__string, &(filter).cpu},           \
        {0, "comm", "NAME", NAME_PATTERN_HELP, option__string, &(filter).comm},                                        \
        {0,                                                                                                            \
         "bucket",                                                                                                     \
         "LOW..HIGH",                                                                                                  \
         "only values of a histogram event from LOW up to HIGH: 16ms.., 4KiB..1MiB",                                   \
         option__string,                                                                                               \
         &(filter).bucket},                                                                                            \
        {0, "threads", NULL, "a root for each thread, not for each comm", option__flag, &(filter).threads},            \
        {0, "lines", NULL, "a frame for each line of source, not for each function", option__flag, &(filter).lines},   \
    {                                                                                                                  \
        0, "no-inline", NULL, "leave inlined functions out", option__flag, &(filter).no_inline                         \
    }

// Borrows from the filter. -EINVAL and EXIT_CODE_USAGE where a word makes no sense.
int filter__request(const struct filter *filter, struct fault *fault, struct report_request *ret_request);

// "LOW..HIGH", each end with a unit (ns us ms s, B KiB MiB GiB) or none, either end left out. HIGH is exclusive; 0:
// none.
int filter__bucket(const char *text, struct fault *fault, struct report_request *ret_request);

// The store that is meant where none is named: ./hearth.db, else the daemon's.
const char *filter__store(const char *named);

#endif
