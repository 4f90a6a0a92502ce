// The cost of hearth itself: CPU time of its processes, run time of its BPF programs, memory.
#ifndef HEARTH_COLLECTOR_SESSION_OWN_COST_H
#define HEARTH_COLLECTOR_SESSION_OWN_COST_H

#include <stdint.h>
#include <sys/types.h>

#include "collector/programs/bpf_meter.h"

struct own_cost {
    uint64_t cpu_ns;    // this process and its workers, since the start
    uint64_t bpf_ns;    // since the programs were attached; 0 where the kernel keeps no statistics
    uint64_t rss_bytes; // now
    uint64_t peak_rss_bytes;
};

// command: a child that is no worker, 0: none.
void own_cost__read(struct bpf_meter *meter, pid_t command, struct own_cost *ret_cost);

#endif
