// A process beside the daemon, which has one end of a socket of messages (SOCK_SEQPACKET) and ends with the daemon. To
// be started before there are threads, locks and stores.
#ifndef HEARTH_COLLECTOR_DAEMON_HELPER_PROCESS_H
#define HEARTH_COLLECTOR_DAEMON_HELPER_PROCESS_H

#include <sys/types.h>

struct helper_process {
    pid_t pid; // -1: none
    int fd;    // the daemon's end; -1: closed
};

// The process: ends when it returns, and of SIGKILL when the daemon's main thread is gone. Besides 0, 1 and 2 it has no
// descriptor but `fd`.
typedef void helper_process_fn(int fd, void *context);

int helper_process__start(const char *name, helper_process_fn *serve, void *context,
                          struct helper_process *ret_process);
void helper_process__kill(struct helper_process *process);

#endif
