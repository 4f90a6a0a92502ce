// The heap of a process that lives shortly and asks for much: on huge pages from the start, so that memory used for the
// first time costs one fault each 2 MiB rather than each 4 KiB (two thirds of a millisecond a MiB). Where the kernel
// has no huge pages to give, nothing changes.
#ifndef HEARTH_STORE_BASE_WARM_HEAP_H
#define HEARTH_STORE_BASE_WARM_HEAP_H

#include <stddef.h>

// Up to `bytes` of what is asked for from now on. Not for a process that stays: what it frees is not given back.
void warm_heap__prepare(size_t bytes);

#endif
