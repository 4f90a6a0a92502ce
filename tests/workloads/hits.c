// A function called as fast as it goes, by some threads: hits [CALLS, 1000000] [THREADS, 2]. Each thread makes CALLS;
// with 0, as many as it can until SIGTERM. Prints the calls, the wall time they took, and the CPU time.
//
//   main > work > hit
#include <pthread.h>
#include <signal.h>

#include "tests/workloads/workload.h"

uint64_t hit(uint64_t value);

static uint64_t calls, made;
static volatile sig_atomic_t is_over;

static void end(int signal)
{
    (void)signal;
    is_over = 1;
}

FRAME uint64_t hit(uint64_t value)
{
    __asm__ volatile("" : "+r"(value)::"rbx"); // so that it begins by saving a register
    return value + 1;
}

FRAME static void *work(void *unused)
{
    uint64_t value = 0;
    (void)unused;
    while (calls ? value < calls : !is_over)
        value = hit(value);
    __atomic_add_fetch(&made, value, __ATOMIC_RELAXED);
    return NULL;
}

int main(int argc, char **argv)
{
    calls = (uint64_t)argument(argc, argv, 1, 1000000);
    unsigned count = (unsigned)argument(argc, argv, 2, 2);
    pthread_t threads[16];
    if (count < 1 || count > 16)
        return 2;
    if (!calls)
        signal(SIGTERM, end);
    uint64_t start_ns = wall_ns(), start_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    truth("calls", made);
    truth("wall_ns", wall_ns() - start_ns);
    truth("cpu_ns", clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start_cpu_ns);
    return 0;
}
