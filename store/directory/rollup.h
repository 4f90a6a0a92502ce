// Roll-up: the intervals of a tier, added up to the longer ones of the next, for one UTC day.
//
// A sum is written in one transaction together with the ids of its parts: stopped at any moment, each interval is
// either in a sum or not, and readers (store/reader/reader_cover.c) take one of the two. Intervals are added up that
// began in the same minute (or hour), one after the other without a gap between them: a time without a recording stays
// one in all tiers. Parts that come later, after the clock was set back, get a sum of their own.
//
// Nothing is removed here, so no reader has to be waited for.
#ifndef HEARTH_STORE_DIRECTORY_ROLLUP_H
#define HEARTH_STORE_DIRECTORY_ROLLUP_H

#include "store/base/fault.h"
#include "store/day_file.h"

struct rollup_plan {
    const char *directory;
    uint32_t day;
    enum store_tier tier; // to be filled, from the one before it in store/tiers.def
    uint64_t until_ns;    // only what ends by then
    uint64_t deadline_ns; // CLOCK_BOOTTIME, looked at between two sums; 0: none
};

struct rollup_done {
    uint64_t parts, sums;
    bool is_stopped; // by the deadline
};

// ret_done is set even on failure. -ENOENT: nothing to be rolled up. Memory: the names and stacks of the day.
int rollup__day(const struct rollup_plan *plan, struct fault *fault, struct rollup_done *ret_done);

#endif
