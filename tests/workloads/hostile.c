// A program whose names a test replaces by others of the same length: its thread's, its function's, its probe's.
//
// hostile [NAME of the thread]. Runs until it is killed.
#include <sys/prctl.h>
#include <sys/sdt.h>

#include "tests/workloads/workload.h"

FRAME void function_whose_name_a_test_replaces(void)
{
    BURN_UNTIL_CPU_NS(thread_cpu_ns() + 1000000);
    DTRACE_PROBE1(provider_whose_name_a_test_replaces, probe_whose_name_a_test_replaces, 7);
    NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
    if (argc > 1)
        prctl(PR_SET_NAME, argv[1]);
    for (;;)
        function_whose_name_a_test_replaces();
}
