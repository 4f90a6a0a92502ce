// The requests that come over the control socket: `stat`, and `record` for a while beside the daemon's own recording.
#ifndef HEARTH_COLLECTOR_DAEMON_REQUESTS_H
#define HEARTH_COLLECTOR_DAEMON_REQUESTS_H

#include "collector/daemon/control.h"
#include "collector/daemon/status.h"

struct requests {
    // The daemon as it is now. NULL: there is no recording at the moment.
    const struct status *(*status)(void *context);
    struct side_recordings *sides;
    void *context;
};

control_request_fn requests__answer; // its context is a struct requests *

#endif
