// All time at the bottom of a recursion: main > start > descend (DEPTH times) > bottom.
//
// recursion [DEPTH, 100] [SECONDS of CPU time, 2]
#include "tests/workloads/workload.h"

FRAME static void bottom(uint64_t ns)
{
    BURN_UNTIL_CPU_NS(thread_cpu_ns() + ns);
}

FRAME static void descend(unsigned depth, uint64_t ns)
{
    if (depth > 1)
        descend(depth - 1, ns);
    else
        bottom(ns);
    NO_TAIL_CALL();
}

FRAME static void start(unsigned depth, uint64_t ns)
{
    descend(depth, ns);
    NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
    unsigned depth = (unsigned)argument(argc, argv, 1, 100);
    start(depth, (uint64_t)(argument(argc, argv, 2, 2) * NS_PER_SECOND));
    truth("depth", depth);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
