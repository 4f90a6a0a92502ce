// Time in the vDSO: main > read_clock > clock_gettime > __vdso_clock_gettime.
//
// vdso [SECONDS of CPU time, 2]
#include "tests/workloads/workload.h"

FRAME static uint64_t read_clock(unsigned times)
{
    uint64_t sum_ns = 0;
    for (unsigned i = 0; i < times; i++)
        sum_ns += clock_ns(CLOCK_MONOTONIC);
    return sum_ns;
}

int main(int argc, char **argv)
{
    uint64_t end_ns = (uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND), calls = 0;
    for (; thread_cpu_ns() < end_ns; calls += 10000)
        read_clock(10000);
    truth("calls", calls);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
