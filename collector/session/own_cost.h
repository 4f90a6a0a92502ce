// The cost of hearth itself: CPU time of its processes, run time of its BPF programs, memory.
#ifndef HEARTH_COLLECTOR_SESSION_OWN_COST_H
#define HEARTH_COLLECTOR_SESSION_OWN_COST_H

#include <stdint.h>
#include <sys/types.h>

#include "collector/programs/bpf_meter.h"

// Children that hearth starts for others: what they and theirs take is not part of its cost. 0: there is none.
struct own_cost_others {
    pid_t command; // not hearth's at all
    pid_t starter; // hearth's, whose children are recordings with a cost of their own
};

struct own_cost {
    uint64_t cpu_ns;        // this process and its descendants, since the start
    uint64_t bpf_ns;        // since the programs were attached; 0 where the kernel keeps no statistics
    uint64_t rss_bytes;     // now, with what is the descendants' own
    uint64_t written_bytes; // by the calling thread, which writes the store, since it began
    uint64_t peak_rss_bytes;
};

// meter: NULL before there is one. Reads two files of procfs for each descendant, and one for each child.
void own_cost__read(struct bpf_meter *meter, struct own_cost_others others, struct own_cost *ret_cost);

// By write() and its kin, of the calling thread since it began; 0 where the kernel does not count (CONFIG_TASK_XACCT).
uint64_t own_cost__written_bytes(void);

#endif
