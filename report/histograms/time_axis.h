// A linear axis of wall time, with round moments of local time: 12:30:05, 12:30, 11-21.
#ifndef HEARTH_REPORT_HISTOGRAMS_TIME_AXIS_H
#define HEARTH_REPORT_HISTOGRAMS_TIME_AXIS_H

#include <stddef.h>
#include <stdint.h>

struct time_tick {
    double place; // from 0, the first moment, to 1
    char words[16];
};
#define TIME_TICKS_MAX 64
// Round moments whose places are at least least_gap apart, as many as there are so.
size_t time_axis__ticks(uint64_t since_ns, uint64_t until_ns, double least_gap,
                        struct time_tick ret_ticks[TIME_TICKS_MAX]);

#endif
