// A worker, from its fork to its end: takes a job, locks itself in for it, answers, and does other jobs of that
// company.
#ifndef HEARTH_SYMBOLIZER_WORKER_WORKER_PROCESS_H
#define HEARTH_SYMBOLIZER_WORKER_WORKER_PROCESS_H

#include "symbolizer/worker/job.h"

// Runs in a process just forked; jobs come by `channel` from the keeper.
void worker_process__run(int channel, job_fn *run) __attribute__((noreturn));

#endif
