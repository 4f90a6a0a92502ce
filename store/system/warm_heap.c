#include "store/system/warm_heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

static void *huge;
static size_t huge_bytes;

void warm_heap__prepare(size_t bytes)
{
    // One large piece, freed at once and not given back: what comes later is cut from it.
    mallopt(M_TRIM_THRESHOLD, INT32_MAX);
    mallopt(M_MMAP_THRESHOLD, INT32_MAX);
    void *all = malloc(bytes);
    uintptr_t start = ((uintptr_t)all + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1);
    if (all && start + HUGE_PAGE_BYTES <= (uintptr_t)all + bytes) {
        huge = (void *)start;
        huge_bytes = ((uintptr_t)all + bytes - start) & ~(HUGE_PAGE_BYTES - 1);
        madvise(huge, huge_bytes, MADV_HUGEPAGE);
    }
    free(all);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

void warm_heap__give_back(void)
{
    if (huge)
        madvise(huge, huge_bytes, MADV_NOHUGEPAGE); // or khugepaged makes small remains large again
    malloc_trim(0);
}
