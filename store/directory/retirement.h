// Retirement: files that are older than their tier is kept, or that there is no room for, are removed. Always whole
// files: unlink() needs no room on a full disk, and the next write finds what it has freed.
#ifndef HEARTH_STORE_DIRECTORY_RETIREMENT_H
#define HEARTH_STORE_DIRECTORY_RETIREMENT_H

#include "store/base/fault.h"
#include "store/day_file.h"

struct store_limits {
    uint64_t bytes_most; // of the directory
    uint64_t bytes_free; // left to others on its file system
    uint32_t hours[STORE_TIER_COUNT];
};
struct store_limits store_limits__default(void);

struct retirement {
    uint32_t files;
    uint64_t bytes;
};

// Removes files until `bytes_coming` more have room: damaged ones first, then full intervals and minutes that stand in
// the next tier too, then the oldest of all, then incidents. `live` (a name, or "") is never removed. Adds to *retired.
// -ENOSPC: there is no room with all of them gone.
int retirement__make_room(const char *directory, const struct store_limits *limits, const char *live,
                          uint64_t bytes_coming, struct fault *fault, struct retirement *retired);

// Removes what is too old at `now_ns`, after it was rolled up (what cannot be read any more cannot be either); full
// intervals wait for readers (watermark.h). The deadline is rollup.h's.
int retirement__by_age(const char *directory, const struct store_limits *limits, const char *live, uint64_t now_ns,
                       uint64_t deadline_ns, struct fault *fault, struct retirement *retired);

#endif
