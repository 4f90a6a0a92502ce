// Unwind rows of binaries: from the cache on disk, or compiled in a worker (symbolizer/worker/worker.h), which others
// need not wait for. A binary whose rows take longer than ROWS_PATIENCE_MS is put aside and comes when it is done.
//
// Not for use from two threads at once, but for the totals.
#ifndef HEARTH_COLLECTOR_UNWINDING_ROW_JOBS_H
#define HEARTH_COLLECTOR_UNWINDING_ROW_JOBS_H

#include <poll.h>

#include "bpf/wire/wire.h"
#include "collector/who/binaries.h"
#include "store/base/cleanup.h"
#include "symbolizer/unwind/unwind_cache.h"
#include "symbolizer/worker/worker.h"

enum { ROW_JOBS_ASIDE = 2 };

struct row_jobs;

// The worker is borrowed. cache_dir NULL: no cache.
int row_jobs__new(struct worker *worker, const char *cache_dir, struct row_jobs **ret_jobs);
void row_jobs__free(struct row_jobs *jobs);
DEFINE_CLEANUP(struct row_jobs *, row_jobs__free);

// -EINPROGRESS: aside, for row_jobs__take; -EBUSY: too many are, try again later. Other errors: there are none to be
// had of this file. The rows are good until the next call, or row_jobs__give_back.
int row_jobs__get(struct row_jobs *jobs, int fd, const struct binary *binary, const struct wire_file *file,
                  struct unwind_table **ret_table);
// Gives back the memory of rows from the cache. Call it when no more of them are wanted for now.
void row_jobs__give_back(struct row_jobs *jobs);

// To be waited for, for those aside; unused ones have fd -1.
void row_jobs__poll(const struct row_jobs *jobs, struct pollfd ret_fds[ROW_JOBS_ASIDE]);
// Ends what is ready. *ret_table NULL: none to be had.
struct row_job_done {
    const struct binary *binary;
    struct wire_file file;
    struct unwind_table *table;
};
void row_jobs__take(struct row_jobs *jobs, size_t which, struct row_job_done *ret_done);

struct row_jobs_totals { // since the start
    uint64_t compiled, failed;
};
struct row_jobs_totals row_jobs__totals(const struct row_jobs *jobs); // any thread

#endif
