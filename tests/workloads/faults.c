// Page faults by count: PAGES of fresh memory touched once each, in main > touch_pages.
//
// faults [PAGES, 20000]. Prints the pages touched and the minor faults the kernel counted meanwhile.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

FRAME static void touch_pages(volatile char *memory, size_t pages, size_t page_bytes)
{
    for (size_t i = 0; i < pages; i++)
        memory[i * page_bytes] = 1;
}

static uint64_t minor_faults(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (uint64_t)used.ru_minflt;
}

int main(int argc, char **argv)
{
    size_t pages = (size_t)argument(argc, argv, 1, 20000), page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, pages * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    madvise(memory, pages * page_bytes, MADV_NOHUGEPAGE); // a huge page would be one fault
    uint64_t before = minor_faults();
    touch_pages(memory, pages, page_bytes);
    uint64_t after = minor_faults();
    truth("touch_pages", pages);
    truth("minor_faults", after - before);
    return 0;
}
