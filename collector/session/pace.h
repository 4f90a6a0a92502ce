// The rule by which events take fewer of their hits, so that the programs keep to a share of each CPU; without the
// kernel. bpf/common/pace.bpf.h says how a halving is carried out.
//
//   a CPU above its share  the rate of the event whose programs took most of it is halved, then again that of the event
//                          that would take most now, until the programs would have kept to the share
//   all CPUs below it      the rate of an event is doubled when, for wait_ns without a break, no CPU would have been
//                          above half of its share with it; wait_ns doubles each time the rate must be halved again
#ifndef HEARTH_COLLECTOR_SESSION_PACE_H
#define HEARTH_COLLECTOR_SESSION_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace {
    uint32_t halvings;
    bool is_fixed;     // each hit is counted, at any cost
    bool was_raised;   // since it was halved last
    uint64_t below_ns; // how long the rate could have been double
    uint64_t wait_ns;  // how long it must, before it is
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
