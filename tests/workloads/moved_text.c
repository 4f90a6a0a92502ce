// Text in anonymous memory, at its own place: what programs do that want it in huge pages (node's --use-largepages,
// BOLT's -hugify). Says "moved", and then runs main > outer > inner > moved_leaf.
//
// moved_text [SECONDS of CPU time, 2]
#include <string.h>
#include <sys/mman.h>

#include "tests/workloads/workload.h"

FRAME static void moved_leaf(void)
{
    BURN();
}

// Its frame is found by rows only: it has a size of its own, and keeps no frame pointer.
FRAME static void inner(volatile char *bytes)
{
    bytes[0] = 1;
    moved_leaf();
    NO_TAIL_CALL();
}

FRAME static void outer(void)
{
    char bytes[200];
    inner(bytes);
    NO_TAIL_CALL();
}

// Of the mapping that holds this code, as /proc/self/maps has it.
static int find_text(uintptr_t *ret_start, uintptr_t *ret_end)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps && fgets(line, sizeof(line), maps)) {
        char *behind;
        *ret_start = strtoul(line, &behind, 16);
        *ret_end = strtoul(behind + 1, NULL, 16);
        if ((uintptr_t)find_text >= *ret_start && (uintptr_t)find_text < *ret_end)
            return fclose(maps);
    }
    return -1;
}

int main(int argc, char **argv)
{
    uintptr_t start, end;
    if (find_text(&start, &end) != 0)
        return 1;
    size_t bytes = end - start;
    void *copy = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return 1;
    memcpy(copy, (void *)start, bytes);
    // mremap() replaces in one step: there is no moment without the code.
    if (mprotect(copy, bytes, PROT_READ | PROT_EXEC) != 0 ||
        mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start) == MAP_FAILED)
        return 1;
    puts("moved");
    fflush(stdout);
    uint64_t end_ns = thread_cpu_ns() + (argc > 1 ? strtoull(argv[1], NULL, 10) : 2) * NS_PER_SECOND;
    while (thread_cpu_ns() < end_ns)
        outer();
    return 0;
}
