// The messages between the symbolizer, the keeper and its workers (packet.h), and the kinds of a worker's job.
//
//   symbolizer -> keeper, control   struct job, with the worker's end of the job socket, the keeper's of the outcome's
//   symbolizer -> worker, job       a byte, with the inputs
//   worker -> symbolizer, job       REPLY_WANTS, answered with an error or a descriptor; REPLY_DONE with the memfd
//   keeper -> symbolizer, outcome   struct outcome, when the worker is gone, or rests
//   worker -> keeper, channel       struct rested: it has answered, and would do another job
#ifndef HEARTH_SYMBOLIZER_WORKER_JOB_H
#define HEARTH_SYMBOLIZER_WORKER_JOB_H

#include "store/base/buf.h"
#include "symbolizer/jail/packet.h"
#include "symbolizer/jail/sandbox.h"
#include "symbolizer/worker/naming_job.h"

enum job_kind {
    JOB_NOTHING, // but to show that there can be workers
    JOB_INDEX,
    JOB_ROWS,
    JOB_DEMANGLE,
    JOB_JIT,
    JOB_LINES, // of guests' code
};

struct job {
    uint32_t kind;
    uint32_t complete;
    uint32_t reader;     // enum naming_reader
    uint32_t source;     // enum jit_source
    uint32_t is_last;    // of a JIT's file: nothing will be appended
    uint32_t is_lowered; // runs at the lowest priority
    uint64_t from;       // of a JIT's file: where to begin
    uint64_t count;      // offsets, names, or addresses; they stand in an input
    uint64_t company;    // a worker may do several jobs of one company, one after the other; 0: it does this one alone
    struct sandbox_limits limits;
};

enum reply_kind {
    REPLY_WANTS, // a companion
    REPLY_DONE,  // err, and with 0 the memfd
};

struct reply {
    uint32_t kind;
    int32_t err;
    struct companion companion;
};

struct outcome {
    int32_t err;       // 0; -ECHILD: it crashed; -ETIMEDOUT: it was over its time; or why there was no worker
    uint32_t was_used; // its worker had done another job before
    uint64_t cpu_us;
    uint64_t peak_bytes;
};

struct rested {
    uint64_t peak_bytes; // by its own word
};

// Does what is asked for, in the worker; appends the answer. `socket` is for companions; `helper` may be NULL.
typedef int job_fn(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                   struct buf *ret_made);
int job__run(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper, struct buf *ret_made);

#endif
