// A job under way. Begin and end are two calls, so that a thread can have several jobs run at the same time.
#ifndef HEARTH_SYMBOLIZER_WORKER_WORKER_INSIDES_H
#define HEARTH_SYMBOLIZER_WORKER_WORKER_INSIDES_H

#include "symbolizer/worker/job.h"
#include "symbolizer/worker/worker.h"

struct job_ends { // ours; -1: closed
    int socket, outcome;
};

// The limits of a job (LIMIT_QUICK_*, LIMIT_WORKER_*).
enum worker_share {
    SHARE_QUICK,       // little memory and time, since others wait for it
    SHARE_QUICK_LARGE, // much memory, little time
    SHARE_SLOW,        // much memory and time
};

struct worker_job {
    struct worker *worker;
    uint64_t owner; // of the file: its budget pays for the job
    bool has_owner; // false: no budget pays
    struct job job;
    struct packet_fds inputs; // borrowed, until it is ended or closed
    struct job_ends ends;
};

#define WORKER_JOB_NONE ((struct worker_job){.ends = {-1, -1}})

// Begins a job of job->kind within the limits of `share`; fills in ret_job->job.limits.
int worker_job__begin(struct worker *worker, const struct job *job, enum worker_share share, uint64_t answer_bytes,
                      const struct packet_fds *inputs, struct worker_job *ret_job);
// The same, paid by the owner of the first input. -EDQUOT: this owner has spent its CPU time (worker_budget.h), and
// the job is for more than the symbol table.
int worker_job__begin_paid(struct worker *worker, const struct job *job, enum worker_share share, uint64_t answer_bytes,
                           const struct packet_fds *inputs, struct worker_job *ret_job);
// Serves the job until it is done, and closes it; the answer is a mapping, not yet checked, NULL where it is empty.
// Runs the job again, once, when the keeper died. `request` and `ret_usage` may be NULL.
int worker_job__end(struct worker_job *job, const struct naming_request *request, struct worker_usage *ret_usage,
                    void **ret_bytes, size_t *ret_length);
void worker_job__close(struct worker_job *job); // stops the job, if it still runs

#endif
