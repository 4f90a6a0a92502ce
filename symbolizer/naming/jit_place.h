// A process that may have left files for profilers: its perf map (/tmp/perf-PID.map as it sees /tmp, by the PID it has
// in its own namespace) and its jitdump (found by the mapping the runtime makes of it). An opened file stays open, so
// that it can be read when the process is gone; so does its /tmp, where a runtime may leave its map at its very end.
//
// /tmp is a place where anybody may leave anything. A file is believed when it is a regular one, not a link, of the
// process's user or of root, and was written since the process started: a map older than that is of another process,
// which had the same PID.
#ifndef HEARTH_SYMBOLIZER_NAMING_JIT_PLACE_H
#define HEARTH_SYMBOLIZER_NAMING_JIT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbolizer/jit/jit_names.h"
#include "symbolizer/naming/symbolizer_types.h"

struct jit_file {
    int fd; // -1: none so far
    uint64_t device, inode;
    uint64_t read_to;                 // all that stands before it has been read
    uint64_t size_bytes, modified_ns; // when it was read last
    bool was_read, was_last;          // was_last: with a line at its end that has no end
    bool has_failed;                  // over the limits of a worker, as it was then
};

struct jit_place {
    pid_t pid, inner_pid; // inner: in its own PID namespace
    pid_t parent;
    uint64_t start_boot_ns; // CLOCK_BOOTTIME, to a tick of 10 ms
    uint64_t start_stack;   // where its stack begins: a fork keeps it, an exec chooses anew
    uid_t uids[4];          // real, effective, saved, of files
    int tmp_fd;             // -1: it has none, or the place is closed
    struct jit_file files[JIT_SOURCES];
};

#define JIT_PLACE_NONE ((struct jit_place){.tmp_fd = -1, .files = {{.fd = -1}, {.fd = -1}}})

// Finds a live process; opens none of its files yet. -ESRCH: there is no such process.
int jit_place__open(pid_t pid, struct jit_place *ret_place);
// The same for one that has ended before it was seen, as if its /tmp was ours.
int jit_place__open_ended(pid_t pid, uint64_t start_boot_ns, uid_t uid, struct jit_place *ret_place);
void jit_place__close(struct jit_place *place);

bool jit_place__is_alive(const struct jit_place *place);

// Opens what is there and not yet open, and what took the place of an opened one.
void jit_place__look(struct jit_place *place);

struct jit_question {
    const uint64_t *addresses;
    size_t count;
    bool are_new; // some were never asked: files are read from their start, else from where the last reading ended
    bool is_last; // nothing will be appended: a line without its end counts
};

// Reads what there is to be read of the files that are open, in a worker, and calls `take` for each address that has a
// name. Adds the CPU time to *cost_us. -ENOENT: there are no files; -ENODATA: nothing new in them.
int jit_place__ask(struct jit_place *place, struct worker *worker, const struct jit_question *question,
                   symbol_chain_fn *take, void *context, uint64_t *cost_us);

#endif
