// workloads/calls.c with a semaphore in front of each USDT probe.
#define _SDT_HAS_SEMAPHORES 1
#include "tests/workloads/calls.c"
