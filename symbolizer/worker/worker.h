// Reads the bytes of strangers' files in a process without privileges.
//
//   symbolizer --control--> keeper (no privileges) --fork--> worker (seccomp, limits; one binary, or small ones)
//        \----------------------job socket------------------/
//
// The keeper is forked early, while the process is small, and forks the workers. No job sees the memory of another
// one's that was about a file of another owner, or of another file system: worker_keeper.h. The worker gets
// descriptors, asks for companions by name over its socket, and answers with a sealed memfd. A crash, a limit reached
// or an answer that makes no sense is an error of this job alone.
//
// Jobs may be asked for from several threads at once; LIMIT_WORKERS of them run at the same time.
#ifndef HEARTH_SYMBOLIZER_WORKER_WORKER_H
#define HEARTH_SYMBOLIZER_WORKER_WORKER_H

#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "symbolizer/jit/jit_names.h"
#include "symbolizer/unwind/unwind_rows.h"
#include "symbolizer/worker/job.h"
#include "symbolizer/worker/naming_job.h"

struct worker;

struct worker_options {
    struct sandbox_limits limits; // of every job; cpu_s 0: those of limits.h
    job_fn *run;                  // NULL: job__run. Tests give a worker that was taken over.
    bool lowers_rows;             // rows are made at the lowest priority as well, and in as much time as others
};

struct worker_usage {
    uint64_t cpu_us;
    uint64_t peak_bytes;
};

// options NULL: the defaults. An error: this machine allows no such process (seccomp, capset).
int worker__new(const struct worker_options *options, struct fault *fault, struct worker **ret_worker);
void worker__free(struct worker *worker);
DEFINE_CLEANUP(struct worker *, worker__free);

// Jobs other than rows that begin from now on run at the lowest priority (store/system/priority.h).
void worker__lower(struct worker *worker);
// All jobs run at the caller's priority again, also those under way.
void worker__raise(struct worker *worker);

// Ends the jobs under way, and refuses others from now on, with -ECANCELED. Call it before you join the threads that
// wait for them.
void worker__cancel(struct worker *worker);

// Runs the job of naming_job.h; the result is a mapping to be freed with munmap, not yet checked. -EBADMSG: damaged;
// -ETIMEDOUT: over its time; -ENOMEM: over its memory; -ECHILD: crashed; -EDQUOT: the file's owner has spent its CPU
// time, for now. Of those that may have much memory (request->is_quick is false, or is_large true), one runs at a time.
int worker__index(struct worker *worker, const struct naming_request *request, struct worker_usage *ret_usage,
                  void **ret_bytes, size_t *ret_length);

// Begins to make the unwind rows of a file, and returns at once; `fd` may be closed then. worker_rows__fd becomes
// readable when worker_rows__end would not wait.
struct worker_rows;
int worker_rows__begin(struct worker *worker, int fd, struct worker_rows **ret_rows);
int worker_rows__fd(const struct worker_rows *rows);
// Waits for the rows, which are checked in full, and frees. Errors: as above, and those of unwind_table__compile.
int worker_rows__end(struct worker_rows *rows, struct unwind_table **ret_table);
void worker_rows__free(struct worker_rows *rows); // stops the job, if it still runs
DEFINE_CLEANUP(struct worker_rows *, worker_rows__free);

// Begins to demangle `count` names that stand one after the other in `names`, each with its NUL, and returns at once;
// `names` is copied. Several at once run at the same time.
struct worker_names;
int worker_names__begin(struct worker *worker, const char *names, size_t length, size_t count,
                        struct worker_names **ret_names);
// Waits for the answer, appends it in the same way, "" where a name stays as it is, and frees. Nothing is appended on
// failure. Checked: there are `count`.
int worker_names__end(struct worker_names *names, struct buf *ret_shown);
void worker_names__free(struct worker_names *names); // stops the job, if it still runs

struct worker_jit_request {
    enum jit_source source;
    int fd;
    uint64_t from; // where to begin in the file
    bool is_last;  // nothing will be appended
    const uint64_t *addresses;
    size_t count;
};

// Names of JIT code: for each address "NAME", "FILE", "LINE" with their NULs, in `ret_names`; free it. Checked: there
// are three times `count`. ret_end: where the next reading is to begin.
int worker__jit(struct worker *worker, const struct worker_jit_request *request, struct worker_usage *ret_usage,
                char **ret_names, uint64_t *ret_end);

// Lines of places in guests' code, in the order of the places: `places` has one struct guest_place after the other,
// each followed by its table (symbolizer/guests/guest_lines.h).
int worker__lines(struct worker *worker, const void *places, size_t length, size_t count, uint32_t *ret_lines);

#endif
