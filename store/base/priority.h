// How much of a busy host a thread may take. Work that can wait is lowered: nice 19, SCHED_BATCH and the idle class of
// I/O. Not SCHED_IDLE: beside other work, that may not run for minutes. Every call is a wish: where the kernel refuses
// it (to raise again takes CAP_SYS_NICE), the thread goes on as it is.
#ifndef HEARTH_STORE_BASE_PRIORITY_H
#define HEARTH_STORE_BASE_PRIORITY_H

#include <sys/types.h>

#define PRIORITY_LOWEST_NICE 19

// The calling thread; threads and processes that it starts later inherit it.
void priority__lower(void);

// A thread, or the processes of a group, as nice as the calling thread is, and of no class of I/O.
void priority__raise_thread(pid_t tid);
void priority__raise_group(pid_t group);

#endif
