// A job under way, for those who ask for jobs: begun and ended apart, so that several run at the same time.
#ifndef HEARTH_SYMBOLIZER_WORKER_INSIDES_H
#define HEARTH_SYMBOLIZER_WORKER_INSIDES_H

#include "symbolizer/job.h"
#include "symbolizer/worker.h"

struct job_ends { // ours; -1: closed
    int socket, outcome;
};

// What a job may take.
enum worker_share {
    SHARE_QUICK,       // little memory and time: others wait for it
    SHARE_QUICK_LARGE, // much memory, little time
    SHARE_SLOW,        // much memory and time
};

struct worker_job {
    struct worker *worker;
    uint64_t owner; // of the file, who pays for it
    bool has_owner; // else nobody does
    struct job job;
    struct packet_fds inputs; // borrowed, until it is ended or closed
    struct job_ends ends;
};

#define WORKER_JOB_NONE ((struct worker_job){.ends = {-1, -1}})

// Begins what job->kind says, within the limits; job->limits are filled in.
int worker_job__begin(struct worker *worker, const struct job *job, enum worker_share share, uint64_t answer_bytes,
                      const struct packet_fds *inputs, struct worker_job *ret_job);
// The same, paid by the owner of the first input. -EDQUOT: that owner has spent its CPU time (worker_budget.h).
int worker_job__begin_paid(struct worker *worker, const struct job *job, enum worker_share share, uint64_t answer_bytes,
                           const struct packet_fds *inputs, struct worker_job *ret_job);
// Serves it until it is done; the answer is a mapping, not yet checked, NULL where it is empty. Runs it again, once,
// when it is the keeper that died. The job is closed then. `request` and `ret_usage` may be NULL.
int worker_job__end(struct worker_job *job, const struct naming_request *request, struct worker_usage *ret_usage,
                    void **ret_bytes, size_t *ret_length);
void worker_job__close(struct worker_job *job); // stops it, where it is

#endif
