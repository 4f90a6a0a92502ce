// How many of their hits events take, so that the programs take no more of a CPU than they may: a rule, no more. See
// bpf/pace.bpf.h for what a halving does.
//
//   a CPU above its share  the event that took most of it is halved, then again the one that does so now, until the
//                          programs would have kept to the share
//   room everywhere        an event that may have twice the hits and no CPU be at more than half of the share, for some
//                          time without a break, gets them; that time doubles each time the event had to give them back
#ifndef HEARTH_COLLECTOR_PACE_H
#define HEARTH_COLLECTOR_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace {
    uint32_t halvings;
    bool is_fixed;    // each hit is counted, whatever that costs
    bool was_raised;  // since it was halved last
    uint64_t calm_ns; // how long there has been room
    uint64_t wait_ns; // how long there has to be
};

// A stretch of time: what each event's programs took of each CPU.
struct pace_load {
    const uint64_t *busy_ns; // [cpu * event_count + event]
    size_t cpu_count, event_count;
    uint64_t elapsed_ns;
    double share; // of a CPU that they may take together: 0.2
};

// Changes the halvings as the load asks for. Returns the CPU that was above its share most; cpu_count: none was.
size_t pace__judge(struct pace *paces, const struct pace_load *load);

// Of a CPU, 0.2 for 20 %.
double pace__share(const struct pace_load *load, size_t cpu);

#endif
