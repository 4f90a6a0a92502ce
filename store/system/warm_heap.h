// The heap of a process that lives shortly and asks for much: on huge pages from the start, so that memory used for the
// first time costs one fault each 2 MiB rather than each 4 KiB (two thirds of a millisecond a MiB). Where the kernel
// has no huge pages to give, nothing changes.
#ifndef HEARTH_STORE_SYSTEM_WARM_HEAP_H
#define HEARTH_STORE_SYSTEM_WARM_HEAP_H

#include <stddef.h>

// Prepares for `bytes` of allocations. Freed memory is not given back to the kernel, until the call below.
void warm_heap__prepare(size_t bytes);

// For a process that stays: gives back what is free. The thresholds of mallopt() stay as they are.
void warm_heap__give_back(void);

#endif
