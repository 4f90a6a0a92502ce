// The keeper: a process without privileges that forks a worker for each job, so that no job finds what another left,
// and sees to it that each ends within its limits. One worker always waits, forked before it is needed. When the
// symbolizer goes, all of them go.
#ifndef HEARTH_SYMBOLIZER_WORKER_WORKER_KEEPER_H
#define HEARTH_SYMBOLIZER_WORKER_WORKER_KEEPER_H

#include "symbolizer/worker/job.h"

// Runs in a process just forked; `control` is the keeper's end.
void worker_keeper__run(int control, job_fn *run) __attribute__((noreturn));

#endif
