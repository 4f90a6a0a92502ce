#include "store/system/priority.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOWEST_NICE = 19 };

static void set_io_class(int which, pid_t id, int class)
{
    syscall(SYS_ioprio_set, which, id, IOPRIO_PRIO_VALUE(class, 0));
}

void priority__lower(void)
{
    const struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none); // wakes up without preempting what runs
    setpriority(PRIO_PROCESS, 0, LOWEST_NICE);
    set_io_class(IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE);
}

void priority__raise_thread(pid_t tid)
{
    setpriority(PRIO_PROCESS, (id_t)tid, getpriority(PRIO_PROCESS, 0));
    set_io_class(IOPRIO_WHO_PROCESS, tid, IOPRIO_CLASS_NONE);
}

void priority__raise_group(pid_t group)
{
    setpriority(PRIO_PGRP, (id_t)group, getpriority(PRIO_PROCESS, 0));
    set_io_class(IOPRIO_WHO_PGRP, group, IOPRIO_CLASS_NONE);
}
