// A process as /proc tells of it: who it is, and what code it maps.
#ifndef HEARTH_COLLECTOR_WHO_PROCFS_H
#define HEARTH_COLLECTOR_WHO_PROCFS_H

#include <limits.h>
#include <stdint.h>

#include "collector/who/mappings.h"

struct procfs_process {
    uint32_t parent;
    uint64_t start_boot_ns; // to the tick of 10 ms
    char comm[16];
    char exe[PATH_MAX]; // "" unknown: a kernel thread, or gone
};

// When a thread started, to the tick of 10 ms. -ESRCH: gone.
int procfs__start(uint32_t tid, uint64_t *ret_start_boot_ns);
// -ESRCH: gone.
int procfs__read(uint32_t tgid, struct procfs_process *ret_process);
// Adds the executable mappings of /proc/TGID/maps. Cost: about 1 us a mapping.
void procfs__read_mappings(uint32_t tgid, struct binaries *binaries, struct mappings *mappings);

#endif
