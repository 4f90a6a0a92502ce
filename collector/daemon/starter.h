// The process that starts recordings beside the daemon's own: `hearth record` of this very program (/proc/self/exe),
// into a store of the folder `incidents`. The daemon itself never calls execve(). The starter checks the words itself,
// so that whoever takes the daemon over starts nothing else.
#ifndef HEARTH_COLLECTOR_DAEMON_STARTER_H
#define HEARTH_COLLECTOR_DAEMON_STARTER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/daemon/helper_process.h"
#include "store/base/limits.h"
#include "store/directory/incidents.h"

// The daemon's messages.
struct starter_order {
    uint64_t id;
    bool ends; // the recording of that id is to end, with a whole store; false: one is to begin
    uint32_t word_count;
    char name[INCIDENT_NAME_BYTES];    // of the store
    char words[LIMIT_SIDE_WORD_BYTES]; // those behind `record`, each with its NUL
};

// The starter's: a recording has ended.
struct starter_report {
    uint64_t id;
    int32_t exit_code;                // of `hearth record`; 128 and a signal's number
    char said[LIMIT_SIDE_SAID_BYTES]; // the last lines of its stderr, each with its newline
};

// `directory`: the daemon's, a const char *. When the daemon shuts its socket down, all recordings are told to end, and
// the starter ends with the last.
helper_process_fn starter__serve;

#endif
