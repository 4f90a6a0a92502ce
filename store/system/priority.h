// How much of a busy host a thread may take. Work that can wait is lowered: nice 19, SCHED_BATCH and the idle class of
// I/O. Not SCHED_IDLE: beside other work, such a thread may not run for minutes. No call fails: where the kernel
// refuses one (to raise again takes CAP_SYS_NICE), the thread keeps the priority it has.
#ifndef HEARTH_STORE_SYSTEM_PRIORITY_H
#define HEARTH_STORE_SYSTEM_PRIORITY_H

#include <sys/types.h>

// The calling thread; threads and processes that it starts later inherit it.
void priority__lower(void);

// A thread, or the processes of a group, as nice as the calling thread is, and of no class of I/O.
void priority__raise_thread(pid_t tid);
void priority__raise_group(pid_t group);

#endif
