// The library that workloads/dlopen.c loads.
#include "tests/workloads/workload.h"

void plugin_work(uint64_t ns);

FRAME static void plugin_leaf(uint64_t ns)
{
    BURN_UNTIL_CPU_NS(thread_cpu_ns() + ns);
}

FRAME void plugin_work(uint64_t ns)
{
    plugin_leaf(ns);
    NO_TAIL_CALL();
}
