// A process whose leader has called pthread_exit() goes on, but /proc/PID has neither its maps nor its exe, root and
// open files any more: they are the leader's, who has none (fs/proc/base.c, get_task_mm() of a zombie). /proc/TID of
// another of its threads has them.
#ifndef HEARTH_STORE_SYSTEM_LIVE_THREAD_H
#define HEARTH_STORE_SYSTEM_LIVE_THREAD_H

#include <sys/types.h>

// The thread to look at a process by, in /proc: the leader where it has not exited, or where there is no other. Cost:
// one readlink(), mostly.
pid_t live_thread__of(pid_t pid);

#endif
