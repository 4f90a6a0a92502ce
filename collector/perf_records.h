// Perf's own records of who maps, forks, execs, is renamed and exits (PERF_RECORD_MMAP2 with build ids, FORK, COMM,
// EXIT): one dummy event and one ring buffer a CPU, merged by time.
#ifndef HEARTH_COLLECTOR_PERF_RECORDS_H
#define HEARTH_COLLECTOR_PERF_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/processes.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct perf_records;

// Needs CAP_PERFMON (or CAP_SYS_ADMIN). Memory: LIMIT_RECORD_RING_BYTES of the kernel's a CPU.
int perf_records__new(const uint32_t *cpus, size_t cpu_count, struct fault *fault, struct perf_records **ret_records);
void perf_records__free(struct perf_records *records);

// Descriptors that become readable when a ring is half full.
size_t perf_records__fd_count(const struct perf_records *records);
int perf_records__fd(const struct perf_records *records, size_t index);

// Whether the CPU of a ring was offline and is back: then the ring is a new one, with another descriptor, to be asked
// for again. To be called now and then, after perf_records__read().
bool perf_records__came_back(struct perf_records *records, size_t index, uint32_t *ret_cpu);

// Hands everything in the rings to the process table. -ENOMEM; what was not handled by then stays in the rings.
int perf_records__read(struct perf_records *records, struct processes *processes);

uint64_t perf_records__lost(const struct perf_records *records); // records the kernel could not write

DEFINE_CLEANUP(struct perf_records *, perf_records__free);

#endif
