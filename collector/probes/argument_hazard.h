// Whether the arguments of a function stand where the calling convention of C has them when a
// probe on it is hit.
#ifndef HEARTH_COLLECTOR_PROBES_ARGUMENT_HAZARD_H
#define HEARTH_COLLECTOR_PROBES_ARGUMENT_HAZARD_H

#include <stdint.h>

#include "collector/probes/return_hazard.h"

// Why they do not, for a message; NULL: they do.
const char *argument_hazard__of(const char *function, uint64_t offset, enum return_hazard hazard);

#endif
