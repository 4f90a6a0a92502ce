// An incident by its number (`hearth list incidents`): what was recorded of it, and what to hold against it.
#ifndef HEARTH_REPORT_QUERY_INCIDENT_H
#define HEARTH_REPORT_QUERY_INCIDENT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/fault.h"

struct incident_range {
    uint64_t since_ns, until_ns;
};

struct incident {
    struct incident_range range; // in the store, up to a minute after it was found
    char recording[PATH_MAX];    // the store that was recorded of it; "": there is none (any more)
};

// -ENOENT, and EXIT_CODE_USAGE: the store has no such incident.
int incident__find(const char *store, uint64_t number, struct fault *fault, struct incident *ret_incident);

// The hour around the same time of the day before, where something was recorded, else the hour before the incident.
int incident__before(const char *store, const struct incident *incident, struct fault *fault,
                     struct incident_range *ret_range, bool *ret_is_day_before);

#endif
