// Threads that each wait once, under a name of its own, until all have waited for a time: sleepers THREADS SECONDS.
// Prints how many there were. With a third argument the parent process, a recording, is stopped while they are made.
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

static int until_closed[2];

FRAME static void *wait_once(void *number)
{
    char name[16], none;
    snprintf(name, sizeof(name), "s%lu", (unsigned long)(uintptr_t)number);
    prctl(PR_SET_NAME, name);
    return read(until_closed[0], &none, 1) == 0 ? NULL : number;
}

int main(int argc, char **argv)
{
    unsigned long count = (unsigned long)argument(argc, argv, 1, 100), made = 0;
    pthread_attr_t attributes;
    pthread_t thread;
    if (pipe(until_closed) < 0)
        return 1;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    if (argc > 3)
        kill(getppid(), SIGSTOP);
    for (unsigned long i = 0; i < count; i++)
        made += pthread_create(&thread, &attributes, wait_once, (void *)(uintptr_t)i) == 0;
    if (argc > 3)
        kill(getppid(), SIGCONT);
    truth("threads", made);
    sleep_ns((uint64_t)(argument(argc, argv, 2, 5) * 1e9));
    close(until_closed[1]);
    return 0;
}
