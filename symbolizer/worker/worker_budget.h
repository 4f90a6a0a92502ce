// The CPU time that workers may spend on the files of one owner. Without this limit a user could keep the workers busy
// with many copies of a file that is slow to read. Each owner has a budget that comes back with time; a job that fails
// costs a multiple of its time. The files of an owner that has spent it get no jobs until some has come back.
//
// Rows and names have a budget each: an owner that has spent the one keeps the other. Any thread.
#ifndef HEARTH_SYMBOLIZER_WORKER_WORKER_BUDGET_H
#define HEARTH_SYMBOLIZER_WORKER_WORKER_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/limits.h"

struct spender {
    uint64_t owner; // file_identity__owner
    bool is_rows;
    uint64_t spent_us;
    uint64_t at_us; // the time of spent_us
};

struct worker_budget {
    pthread_mutex_t lock;
    struct spender spenders[LIMIT_OWNERS];
    size_t count;
};

void worker_budget__init(struct worker_budget *budget);

// -EDQUOT: the owner has spent its budget. now_us: CLOCK_MONOTONIC.
int worker_budget__check(struct worker_budget *budget, uint64_t owner, bool is_rows, uint64_t now_us);
void worker_budget__charge(struct worker_budget *budget, uint64_t owner, bool is_rows, uint64_t now_us, uint64_t cpu_us,
                           bool has_failed);

#endif
