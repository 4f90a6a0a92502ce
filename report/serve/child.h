// A process that answers one question, with bounds on its time, its memory and the size of its answer. A store that is
// damaged, or a question that takes too much, ends the child, not the server.
#ifndef HEARTH_REPORT_SERVE_CHILD_H
#define HEARTH_REPORT_SERVE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "report/serve/answers.h"

struct child {
    pid_t pid;      // 0: none
    int done_fd;    // readable when it has ended
    int answer_fd;  // a memfd; -1: none
    bool is_packed; // once it has finished: the answer is gzip
};

int child__start(answer_fn *answer, const struct question *question, struct child *ret_child);
// Waits for its end, which has come where done_fd is readable, and gives its answer: HTTP's status, and a descriptor
// with a body, JSON where the status is not 200. The descriptor is the caller's.
unsigned child__finish(struct child *child, int *ret_answer_fd);
// Ends it. Nothing where there is none.
void child__stop(struct child *child);

#endif
