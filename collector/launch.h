// Starts the command to be recorded: forked at once, so that its PID is known, and held until it is let go.
#ifndef HEARTH_COLLECTOR_LAUNCH_H
#define HEARTH_COLLECTOR_LAUNCH_H

#include <sys/types.h>

#include "store/base/fault.h"

struct launch {
    const char *name; // as the user spelled it, borrowed
    pid_t pid;
    int go_fd;     // closed, or written to: go
    int failed_fd; // readable with an errno when exec fails, closed when it succeeds
};

int launch__prepare(char *const *argv, struct fault *fault, struct launch *ret_launch);
// Lets it go and waits until exec has succeeded, or says why it has not (-ENOENT, ...).
int launch__go(struct launch *launch, struct fault *fault);
// Ends it if it still runs (SIGTERM, like the user's own ^C), and reaps it; the status is as wait() gives it.
int launch__end(struct launch *launch);

#endif
