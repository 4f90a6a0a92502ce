// Events of the perf subsystem as their descriptors tell.
#ifndef HEARTH_COLLECTOR_WHO_PERF_EVENT_H
#define HEARTH_COLLECTOR_WHO_PERF_EVENT_H

#include <stdbool.h>
#include <stdint.h>

// Whether an event is dead, as its CPU went offline: the time that it counts stands still. Such a one stays so when the
// CPU is back. The event must have been opened with PERF_FORMAT_TOTAL_TIME_ENABLED.
bool perf_event__is_dead(int fd, uint64_t *enabled_ns);

#endif
