// Recordings beside the daemon's own, each of a bounded time and into a store of its own: `hearth record` in a process
// that the starter starts (starter.h). The daemon's recording is not disturbed. All of them end with the daemon.
//
//   const char *words[] = {"-p", "4711", "-F", "999", "-d", "30"};
//   struct side_request request = {6, words, "cpu of unit nginx > 150%", on_ended, rule};
//   err = side_recordings__begin(sides, &request, &fault, &id);
#ifndef HEARTH_COLLECTOR_DAEMON_SIDE_RECORDINGS_H
#define HEARTH_COLLECTOR_DAEMON_SIDE_RECORDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct loop;
struct side_recordings;

struct side_end {
    uint64_t id;
    int exit_code;    // of `hearth record`; 0: the store is whole
    const char *said; // the lines that it wrote to stderr, each with its newline; the last one is the error
    const char *path; // of the store, whether there is one or not
};
typedef void side_end_fn(void *context, const struct side_end *end);

struct side_request {
    int argc;
    const char *const *argv; // the words behind `record` (side_words.h)
    const char *why;         // for the log, a line's part
    side_end_fn *ended;      // called once, from the loop; NULL: nobody asks
    void *context;
};

// Forks the starter: to be called before there are threads, locks and stores. `directory` is borrowed.
int side_recordings__new(const char *directory, struct side_recordings **ret_sides);
// Tells all to end, and waits for them, LIMIT_SIDE_END_MS at most for the next; their ends are told.
void side_recordings__free(struct side_recordings *sides);

// The process that starts them; 0: it has died.
pid_t side_recordings__starter(const struct side_recordings *sides);

// Ends come through the loop: to be called for each loop of the daemon, and with NULL before it goes.
int side_recordings__watch(struct side_recordings *sides, struct loop *loop);
// The stores may take a part (LIMIT_SIDE_PART) of these bytes, which the whole directory may.
void side_recordings__bound(struct side_recordings *sides, uint64_t directory_bytes);
// Ends those that outgrow their part; to be called from time to time.
void side_recordings__check_sizes(struct side_recordings *sides);

// Asks the starter. -EINVAL: the words are refused; -EBUSY: so many run; -EDQUOT: so many began within the hour;
// -EPIPE: the starter has died. Each with a fault.
int side_recordings__begin(struct side_recordings *sides, const struct side_request *request, struct fault *fault,
                           uint64_t *ret_id);
void side_recordings__end(struct side_recordings *sides, uint64_t id);    // early, with a whole store; then it is told
void side_recordings__forget(struct side_recordings *sides, uint64_t id); // it goes on, and nobody is to be told

struct side_shown {
    uint64_t id, begun_ns; // CLOCK_REALTIME
    const char *path, *why, *words;
};
// The index-th of those that run; false: there are no more.
bool side_recordings__show(const struct side_recordings *sides, size_t index, struct side_shown *ret_shown);

DEFINE_CLEANUP(struct side_recordings *, side_recordings__free);

#endif
