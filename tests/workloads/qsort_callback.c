// A callback through libc, which has no frame pointers: main > sort > qsort > ... > compare.
//
// qsort_callback [SECONDS of CPU time, 2]
#include "tests/workloads/workload.h"

static uint64_t compare_ns;

FRAME static int compare(const void *left, const void *right)
{
    uint64_t start_ns = thread_cpu_ns();
    BURN();
    compare_ns += thread_cpu_ns() - start_ns;
    return *(const int *)left - *(const int *)right;
}

FRAME static void sort(void)
{
    int numbers[64];
    for (int i = 0; i < 64; i++)
        numbers[i] = (i * 37) % 64;
    qsort(numbers, 64, sizeof(numbers[0]), compare);
    NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
    uint64_t end_ns = (uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND);
    while (thread_cpu_ns() < end_ns)
        sort();
    truth("compare", compare_ns);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
