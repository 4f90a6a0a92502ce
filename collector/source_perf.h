// Events of the perf subsystem, one on each CPU, with the BPF program sample_perf_event behind them.
#ifndef HEARTH_COLLECTOR_SOURCE_PERF_H
#define HEARTH_COLLECTOR_SOURCE_PERF_H

#include <stdbool.h>

#include "collector/source.h"

// "cpu": cycles when the machine counts them, cpu-clock otherwise.
int source_perf__parse_cpu(struct event *event, struct fault *fault);
// perf's names: "page-faults", "cache-misses", "L1-dcache-load-misses", "r01c2".
int source_perf__parse_named(struct event *event, struct fault *fault);
int source_perf__configure(struct event *event, struct loaded *loaded, struct fault *fault);
int source_perf__attach(struct event *event, const struct target *target, struct fault *fault);

// Each name, and whether this machine counts it.
void source_perf__each(void (*row)(const char *name, const char *kind, bool is_here, void *context), void *context);

#endif
