// How many of an event's hits are taken. The collector bounds the CPU time of the programs: it reads the sums of
// pace__spend(), and raises control.halvings of an event (collector/session/governor.h). Then one hit in 2^halvings is
// taken, and counts for 2^halvings. pace__weight() reads the halvings once, for the choice and for the weight, so that
// no sample has the weight of another rate.
//
// Hits of a clock or a hardware counter are taken in turn, by CPU, as if the period were longer. All others are taken
// by chance: in turn, every second of two alternating callers would never be seen.
#ifndef HEARTH_BPF_PACE_H
#define HEARTH_BPF_PACE_H

#include "bpf/common/maps.bpf.h"

// A program may be preempted, and a virtual machine be stopped: such a time is no CPU time of hearth.
#define PACE_LONGEST_NS 1000000

static __always_inline __u32 pace__halvings(__u16 event)
{
    __u32 zero = 0;
    struct wire_control *shared = bpf_map_lookup_elem(&control, &zero);
    return shared && event < WIRE_EVENTS_MAX ? *(volatile __u8 *)&shared->halvings[event] & 31 : 0;
}

// How many hits this one counts for; 0: it is left out, and counted as that.
static __always_inline __u32 pace__choose(__u16 event, __u32 halvings, bool is_periodic)
{
    struct wire_tally *tally = tally__get();
    __u32 mask = (1u << halvings) - 1;
    if (!tally || event >= WIRE_EVENTS_MAX)
        return 1;
    __u32 turn = is_periodic ? (__u32)tally->events[event].turns++ : bpf_get_prandom_u32();
    if ((turn & mask) == mask >> 1)
        return mask + 1;
    tally__lose(WIRE_LOSS_THINNED);
    return 0;
}

static __always_inline __u32 pace__weight(__u16 event, bool is_periodic)
{
    __u32 halvings = pace__halvings(event);
    return halvings ? pace__choose(event, halvings, is_periodic) : 1;
}

static __always_inline void pace__spend(__u16 event, __u64 ns)
{
    struct wire_tally *tally = tally__get();
    if (tally && event < WIRE_EVENTS_MAX)
        __sync_fetch_and_add(&tally->events[event].busy_ns, ns < PACE_LONGEST_NS ? ns : PACE_LONGEST_NS);
}

#endif
