// How much CPU time a probe has cost the program that it was put on, in words:
//
//   hearth: uprobe:./server:handle: 812332 calls, about 1.10 us each (trap 0.86, programs 0.24)
//   hearth: uprobe:libc:mem*: 9300 hits, 0.60 to 17.30 us each (trap 0.40 at 37 of 40 places, 17.10 at 3, program 0.20)
//
// The programs' part is measured while they run, the trap's when they are attached (trap.h). Which of an event's places
// is hit how often is not known.
#ifndef HEARTH_COLLECTOR_PROBES_PROBE_COST_H
#define HEARTH_COLLECTOR_PROBES_PROBE_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/buf.h"

// The kernel's part, by the first instruction of the places.
struct trap_cost {
    uint32_t ns;          // of a hit, a call, or a pair, where it is cheap; 0: not known
    uint32_t dear_ns;     // where it costs more than twice as much
    uint32_t dear_places; // how many places do
    uint32_t places;      // of all
};

struct probe_cost {
    const char *spelled;  // borrowed from the command line
    uint64_t hits;        // or calls, which are a hit at the entry and one at the return, or pairs of USDT probes
    uint64_t passed_over; // some more, which a filter has passed over
    bool is_call, is_pair;
    uint32_t program_ns; // a hit, a call, or a pair
    struct trap_cost trap;
};

void probe_cost__append(const struct probe_cost *cost, struct buf *line); // without a NUL
void probe_cost__say(const struct probe_cost *cost);                      // the same, on stderr

#endif
