// The daemon's metrics: running totals of all intervals since the daemon began, handed to the process that serves them
// (metrics_server.h) through a shared page after each interval. They are sums of what was drained, and no store is
// read: neither roll-up nor retirement changes them, nor does another recording that begins.
#ifndef HEARTH_COLLECTOR_DAEMON_METRICS_H
#define HEARTH_COLLECTOR_DAEMON_METRICS_H

#include "collector/session/recorder.h"

struct metrics;

// Forks: to be called before there are threads, locks and stores. The directory, of which profiles are made, is there.
// -ENOMEM, -EAGAIN.
int metrics__new(const char *address, const char *directory, struct metrics **ret_metrics);
void metrics__free(struct metrics *metrics);
// "9464" is 127.0.0.1:9464. -EINVAL with a fault.
int metrics__check_address(const char *address, struct fault *fault);

// Another recording begins: its losses count from 0 again.
void metrics__begin_recording(struct metrics *metrics);
// An interval that was kept, and the incidents since the daemon began. Says once when the process has died.
void metrics__add(struct metrics *metrics, const struct recorder_drained *drained, uint64_t incidents);

DEFINE_CLEANUP(struct metrics *, metrics__free);

#endif
