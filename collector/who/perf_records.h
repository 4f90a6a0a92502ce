// Perf's own records of who maps, forks, execs, is renamed and exits (PERF_RECORD_MMAP2 with build ids, FORK, COMM,
// EXIT): one dummy event and one ring buffer a CPU, merged by time. The events that sample a CPU tell in its ring, too,
// when the kernel throttles them (PERF_RECORD_THROTTLE): when an event has fired more often since the last tick than
// kernel.perf_event_max_sample_rate allows, the kernel stops it until the next tick.
#ifndef HEARTH_COLLECTOR_WHO_PERF_RECORDS_H
#define HEARTH_COLLECTOR_WHO_PERF_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/who/processes.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct perf_event_attr;
struct perf_records;

// Needs CAP_PERFMON (or CAP_SYS_ADMIN). Memory: LIMIT_RECORD_RING_BYTES of the kernel's a CPU. A CPU that is offline
// has no ring until it comes online.
int perf_records__new(const uint32_t *cpus, size_t cpu_count, struct fault *fault, struct perf_records **ret_records);
void perf_records__free(struct perf_records *records);

// Descriptors that become readable when a ring is half full; -1 while there is no ring.
size_t perf_records__fd_count(const struct perf_records *records);
int perf_records__fd(const struct perf_records *records, size_t index);

// Whether the CPU of a ring was offline and is online now: then the ring is a new one, with another descriptor, to be
// asked for again. To be called now and then, after perf_records__read().
bool perf_records__came_back(struct perf_records *records, size_t index, uint32_t *ret_cpu);

// Hands the records up to a time (CLOCK_MONOTONIC), or up to now, to the process table, in the order of time. Rings are
// copied one after the other: a record that came to one of them meanwhile waits for the next call, since an earlier one
// may still be in another ring. -ENOMEM; what was not handled by then stays.
int perf_records__read_to(struct perf_records *records, struct processes *processes, uint64_t time_ns);
int perf_records__read(struct perf_records *records, struct processes *processes);

uint64_t perf_records__lost(const struct perf_records *records); // records the kernel could not write

// Sets in an event's attributes what the records in one ring have in common.
void perf_records__describe(struct perf_event_attr *attr);
// Has an event on a CPU, opened with these attributes, tell in its ring when it is throttled. `period_ns`: how often it
// fires; 0: not known. Where the kernel refuses, or memory is short, its throttling is not counted.
void perf_records__watch(struct perf_records *records, uint32_t cpu, int fd, uint64_t period_ns);
// Hits that such events have left out: the time they were stopped by their period; one a stop where that is not known.
uint64_t perf_records__throttled(const struct perf_records *records);

DEFINE_CLEANUP(struct perf_records *, perf_records__free);

#endif
