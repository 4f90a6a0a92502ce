// Thousands of stacks: a path of LEVELS calls, at each level left() or right(), so 2^LEVELS distinct stacks of one
// depth; each burns the same short time at its bottom, in an order that jumps about.
//
// many_stacks [SECONDS of CPU time, 2] [LEVELS, 13]. Prints how many distinct paths were walked.
#include "tests/workloads/workload.h"

static void left(unsigned path, unsigned levels);
static void right(unsigned path, unsigned levels);

FRAME static void step(unsigned path, unsigned levels)
{
    if (levels == 0)
        BURN();
    else if (path & 1)
        left(path >> 1, levels - 1);
    else
        right(path >> 1, levels - 1);
    NO_TAIL_CALL();
}

FRAME static void left(unsigned path, unsigned levels)
{
    step(path, levels);
    NO_TAIL_CALL();
}

FRAME static void right(unsigned path, unsigned levels)
{
    step(path, levels);
    NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
    uint64_t end_ns = (uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND), walked = 0;
    unsigned levels = (unsigned)argument(argc, argv, 2, 13), paths = 1u << levels, path = 0;
    for (; thread_cpu_ns() < end_ns; walked++) {
        path = (path * 1664525u + 1013904223u) & (paths - 1); // a full cycle: c is odd, a-1 divisible by 4
        step(path, levels);
    }
    truth("distinct_stacks", walked < paths ? walked : paths);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
