// off-cpu: time from leaving the CPU to being back on it.
#ifndef HEARTH_COLLECTOR_SOURCES_SOURCE_OFF_CPU_H
#define HEARTH_COLLECTOR_SOURCES_SOURCE_OFF_CPU_H

#include "collector/sources/source.h"

struct bpf_link;

// For sources whose threads wait with their stacks: runs the iterator among their programs, waits_still.
int source_off_cpu__settle(struct event *event, struct drain *drain, bool is_last);
const char *source_off_cpu__mark(uint32_t detail);

// Runs the iterator that begins the waits of threads that wait already.
int source_off_cpu__begin(const struct bpf_link *iterator, struct fault *fault);

// Runs the iterator waits_still: counts the waits up to now, and has the drain hold the stacks that it writes.
int source_off_cpu__hold_stacks(const struct bpf_link *iterator, struct drain *drain);

#endif
