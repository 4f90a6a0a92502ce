// The upkeep of a directory: roll-up, and retirement by age. Runs beside the daemon's writer, in a
// thread or a process of its own at the lowest priority: each file has one writer, and the daemon's is only read here.
#ifndef HEARTH_STORE_DIRECTORY_MAINTENANCE_H
#define HEARTH_STORE_DIRECTORY_MAINTENANCE_H

#include <limits.h>

#include "store/directory/retirement.h"

struct maintenance {
    char directory[PATH_MAX];
    struct store_limits limits;
    char live[DAY_FILE_NAME_BYTES]; // the file that the daemon writes; "": none
    uint64_t now_ns;                // as far as the clock is to be trusted
    uint64_t deadline_ns;           // CLOCK_BOOTTIME, looked at after each minute that was added up; 0: none
};

struct maintained {
    uint64_t parts, sums; // intervals rolled up, and made of them
    struct retirement retired;
    bool is_stopped; // by the deadline: the next one goes on
};

// ret_maintained is set even on failure. A failure of one day does not keep the others from being maintained; the first
// one is returned.
int maintenance__run(const struct maintenance *maintenance, struct fault *fault, struct maintained *ret_maintained);

#endif
