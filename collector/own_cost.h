// What hearth itself costs: CPU time of its processes, run time of its BPF programs, memory.
#ifndef HEARTH_COLLECTOR_OWN_COST_H
#define HEARTH_COLLECTOR_OWN_COST_H

#include <stdint.h>
#include <sys/types.h>

struct own_cost {
    uint64_t cpu_ns;    // this process and its workers, since the start
    uint64_t bpf_ns;    // since the programs were loaded; 0 where the kernel keeps no statistics
    uint64_t rss_bytes; // now
    uint64_t peak_rss_bytes;
};

// Turns the kernel's BPF statistics on for as long as the descriptor is open (5.8; two clock reads a run, of every BPF
// program on the machine); -1: not to be had.
int own_cost__enable_bpf_statistics(void);
// program_fds: those whose run time counts. command: a child that is no worker, 0: none.
void own_cost__read(const int *program_fds, int program_count, pid_t command, struct own_cost *ret_cost);

#endif
