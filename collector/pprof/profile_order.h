// Packets between the process that answers scrapers and the one that makes their profiles, over one socket
// (symbolizer/jail/packet.h).
#ifndef HEARTH_COLLECTOR_PPROF_PROFILE_ORDER_H
#define HEARTH_COLLECTOR_PPROF_PROFILE_ORDER_H

#include <stdint.h>

#include "store/base/limits.h"

// With the writing end of a pipe: the answer is wanted as long as somebody holds the other end.
struct profile_order {
    uint64_t id;
    uint64_t since_ns, until_ns; // CLOCK_REALTIME: intervals that end behind the first and begin before the second
    uint32_t word_count;
    char words[LIMIT_PPROF_WORD_BYTES]; // NAME NUL VALUE NUL, as often: filters of `hearth report`
};

// With a file in memory: a profile, or JSON where the status is not 200.
struct profile_reply {
    uint64_t id;
    uint32_t status; // HTTP's
};

#endif
