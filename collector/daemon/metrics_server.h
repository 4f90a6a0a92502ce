// The process that answers Prometheus, and profilers that scrape: it listens, gives up every privilege and every file
// (confinement.h), and has a process of its own answer, which it begins anew where that dies. Of the daemon it has the
// shared page and nothing else: no scraper, however slow, costs the recording anything. Profiles are made by a third
// one, which may read the directory (collector/pprof/profile_maker.h).
#ifndef HEARTH_COLLECTOR_DAEMON_METRICS_SERVER_H
#define HEARTH_COLLECTOR_DAEMON_METRICS_SERVER_H

#include "collector/daemon/helper_process.h"
#include "collector/metrics/metrics_page.h"

struct metrics_server {
    const char *address;   // "127.0.0.1:9464"
    const char *directory; // of stores
    struct metrics_page page;
};

// `server`: a struct metrics_server.
helper_process_fn metrics_server__serve;

#endif
