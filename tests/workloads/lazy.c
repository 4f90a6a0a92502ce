// All time in and below calls through the procedure linkage table. With LD_BIND_NOT=1, ld.so resolves each of them
// anew: main > calls > _dl_runtime_resolve > _dl_fixup > ..., whose first part finds its caller by rbx alone.
//
// lazy [SECONDS of CPU time, 2]
#include "tests/workloads/workload.h"

FRAME static unsigned calls(unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += (unsigned)rand() + (getenv("HOME") != NULL) + (unsigned)strtol("12", NULL, 10);
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t end_ns = (uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND);
    unsigned sum = 0;
    while (thread_cpu_ns() < end_ns)
        sum += calls(1000);
    truth("sum", sum);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
