// Two threads that hand a byte to and fro over two pipes: a context switch, or two, for every hand-over.
//
// switches [HAND_OVERS, 100000]. Prints the hand-overs, the wall time they took, the CPU time and the context
// switches of the process.
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

static unsigned hand_overs;
static int there[2], back[2];

FRAME static void *answer(void *unused)
{
    char byte;
    (void)unused;
    for (unsigned i = 0; i < hand_overs; i++)
        if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
            exit(1);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    struct rusage used;
    char byte = 0;
    hand_overs = (unsigned)argument(argc, argv, 1, 100000);
    if (pipe(there) != 0 || pipe(back) != 0 || pthread_create(&thread, NULL, answer, NULL) != 0)
        return 1;
    uint64_t start_ns = wall_ns(), start_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < hand_overs; i++)
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            return 1;
    uint64_t end_ns = wall_ns(), end_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    pthread_join(thread, NULL);
    getrusage(RUSAGE_SELF, &used);
    truth("hand_overs", hand_overs);
    truth("wall_ns", end_ns - start_ns);
    truth("cpu_ns", end_cpu_ns - start_cpu_ns);
    truth("switches", (uint64_t)(used.ru_nvcsw + used.ru_nivcsw));
    return 0;
}
