// Events of the perf subsystem, one on each CPU, with the BPF program sample_perf_event behind them: "cpu" (cycles when
// the machine counts them, cpu-clock otherwise), and perf's names ("page-faults", "L1-dcache-load-misses", "r01c2").
#ifndef HEARTH_COLLECTOR_SOURCE_PERF_H
#define HEARTH_COLLECTOR_SOURCE_PERF_H

#include <stdbool.h>

#include "collector/source.h"

int source_perf__attach(struct event *event, const struct target *target, struct fault *fault);
int source_perf__follow_cpus(struct event *event);
// Whether an event is dead, as its CPU went offline: the time that it counts stands still. Such a one stays so when the
// CPU is back. The event must have been opened with PERF_FORMAT_TOTAL_TIME_ENABLED.
bool source_perf__is_dead(int fd, uint64_t *enabled_ns);

// Each name, and whether this machine counts it.
void source_perf__each(void (*row)(const char *name, const char *kind, bool is_here, void *context), void *context);

#endif
