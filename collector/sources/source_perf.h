// Events of the perf subsystem, one on each CPU, with the BPF program sample_perf_event behind them: "cpu" (cycles when
// the machine counts them, cpu-clock otherwise), and perf's names ("page-faults", "L1-dcache-load-misses", "r01c2").
#ifndef HEARTH_COLLECTOR_SOURCES_SOURCE_PERF_H
#define HEARTH_COLLECTOR_SOURCES_SOURCE_PERF_H

#include <stdbool.h>

#include "collector/sources/source.h"

int source_perf__attach(struct event *event, const struct target *target, struct fault *fault);
int source_perf__follow_cpus(struct event *event);

// Each name, and whether this machine counts it.
void source_perf__each(void (*row)(const char *name, const char *kind, bool is_here, void *context), void *context);

#endif
