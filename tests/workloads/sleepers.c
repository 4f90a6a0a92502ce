// Threads that each wait once, under a name of its own: sleepers THREADS SECONDS. Prints how many there were.
#include <pthread.h>
#include <sys/prctl.h>

#include "tests/workloads/workload.h"

static uint64_t wait_ns;

FRAME static void *wait_once(void *number)
{
    char name[16];
    snprintf(name, sizeof(name), "s%lu", (unsigned long)(uintptr_t)number);
    prctl(PR_SET_NAME, name);
    sleep_ns(wait_ns);
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned long count = (unsigned long)argument(argc, argv, 1, 100), made = 0;
    pthread_attr_t attributes;
    pthread_t thread;
    wait_ns = (uint64_t)(argument(argc, argv, 2, 5) * 1e9);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    for (unsigned long i = 0; i < count; i++)
        made += pthread_create(&thread, &attributes, wait_once, (void *)(uintptr_t)i) == 0;
    truth("threads", made);
    sleep_ns(wait_ns);
    return 0;
}
