// The kernel's tracefs, where it is mounted, or else mounted for this process alone, in no name space at all.
#ifndef HEARTH_COLLECTOR_PROBES_TRACEFS_H
#define HEARTH_COLLECTOR_PROBES_TRACEFS_H

#include "store/base/fault.h"

// A descriptor of its root. -EPERM and the like with a fault (EXIT_CODE_LACKS).
int tracefs__open(struct fault *fault, int *ret_fd);

#endif
