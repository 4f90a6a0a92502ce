// The keeper: a process without privileges that forks workers, and sees to it that each job ends within its limits. One
// worker always waits, forked before it is needed. When the symbolizer goes, all of them go.
//
// A worker does one job, so that no job finds what another left; or several jobs of one company (job.h), for to fork a
// process and to lock it in costs more than to read a small file. A worker that has done such a job rests, and is gone
// when no other comes for REST_MS, when it has done LIMIT_WORKER_JOBS, or has used a part of its CPU time.
#ifndef HEARTH_SYMBOLIZER_WORKER_WORKER_KEEPER_H
#define HEARTH_SYMBOLIZER_WORKER_WORKER_KEEPER_H

#include "symbolizer/worker/job.h"

// Runs in a process just forked; `control` is the keeper's end.
void worker_keeper__run(int control, job_fn *run) __attribute__((noreturn));

#endif
