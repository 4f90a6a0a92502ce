// What an event that is a probe has cost what it was put on, in words:
//
//   hearth: uprobe:./server:handle: 812332 calls, about 1.1 us each (trap 0.9, programs 0.2)
//
// The programs' part is measured while they run, the trap's when they are attached (trap.h).
#ifndef HEARTH_COLLECTOR_PROBE_COST_H
#define HEARTH_COLLECTOR_PROBE_COST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct probe_cost {
    const char *spelled;  // borrowed from the command line
    uint64_t hits;        // or calls, which are a hit at the entry and one at the return
    uint64_t passed_over; // some more, which a filter has passed over
    bool is_call;
    uint32_t program_ns; // a hit, or a call
    uint32_t trap_ns;    // 0: not known
};

void probe_cost__say(const struct probe_cost *cost, FILE *file);

#endif
