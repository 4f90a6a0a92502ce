// Threads that are busy, each on its own: as many samples as the CPU time it prints allows, and no sleep.
//
// burn [THREADS, 2] [SECONDS of wall time, 3]
#include <pthread.h>

#include "tests/workloads/workload.h"

static uint64_t end_wall_ns;
static uint64_t cpu_ns[256], delay_ns; // delay_ns: ready to run, but waiting for a CPU

FRAME static void burn(void)
{
    while (wall_ns() < end_wall_ns)
        BURN();
}

// By the kernel's own account: the second number of schedstat.
static void add_delay(void)
{
    unsigned long long ran, waited = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    if (file && fscanf(file, "%llu %llu", &ran, &waited) == 2)
        __atomic_fetch_add(&delay_ns, waited, __ATOMIC_RELAXED);
    if (file)
        fclose(file);
}

static void *thread_main(void *used_ns)
{
    burn();
    add_delay();
    *(uint64_t *)used_ns = thread_cpu_ns();
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned count = (unsigned)argument(argc, argv, 1, 2);
    pthread_t threads[256];
    if (count < 1 || count > 256)
        return 2;
    end_wall_ns = wall_ns() + (uint64_t)(argument(argc, argv, 2, 3) * NS_PER_SECOND);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, thread_main, &cpu_ns[i]) != 0)
            return 1;
    uint64_t sum_ns = 0;
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        sum_ns += cpu_ns[i];
    }
    truth("threads", count);
    truth("cpu_ns", sum_ns);
    truth("delay_ns", delay_ns);
    return 0;
}
