// The running daemon, told over the control socket: its recording, the last interval, its directory, and what runs
// beside.
#ifndef HEARTH_COLLECTOR_DAEMON_STATUS_H
#define HEARTH_COLLECTOR_DAEMON_STATUS_H

#include <stdint.h>
#include <stdio.h>

#include "collector/daemon/side_recordings.h"
#include "collector/session/recorder.h"

struct status {
    const char *directory;
    uint64_t keep_bytes;
    uint64_t since_ns; // CLOCK_REALTIME: the daemon's own start
    struct recorder_status recording;
    const struct side_recordings *sides;
};

typedef void status_print_fn(const struct status *status, FILE *file);

// "text" or "json"; NULL: an unknown format.
status_print_fn *status__format(const char *name);

#endif
