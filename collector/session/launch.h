// Starts the command to be recorded: forked at once, so that its PID is known, and held until it is let go.
#ifndef HEARTH_COLLECTOR_SESSION_LAUNCH_H
#define HEARTH_COLLECTOR_SESSION_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/base/fault.h"

struct launch {
    const char *name; // as the user spelled it, borrowed
    pid_t pid;
    int go_fd;      // closed, or written to: go
    int failed_fd;  // readable with an errno when exec fails, closed when it succeeds
    int exec_error; // negative errno, once it has ended: exec failed after launch__go() had given up; else 0
};

// is_silent: the command has /dev/null as stdin, stdout and stderr.
int launch__prepare(char *const *argv, bool is_silent, struct fault *fault, struct launch *ret_launch);
// Lets it go and waits until exec has succeeded, or says why it has not (-ENOENT, ...). Waits at most
// LIMIT_COMMAND_BEGIN_MS, and not once interrupt_fd (-1: none) can be read.
int launch__go(struct launch *launch, int interrupt_fd, struct fault *fault);
// Sends SIGTERM to the command if it still runs, and reaps it; the status is as wait() gives it. Waits for its exit at
// most LIMIT_COMMAND_END_MS, and not once interrupt_fd (-1: none) can be read. -ETIMEDOUT: the command runs on.
int launch__end(struct launch *launch, int interrupt_fd, int *ret_status);

#endif
