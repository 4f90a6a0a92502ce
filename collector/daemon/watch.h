// Evaluates the rules of the daemon's file after each interval, on what was drained and on /proc/pressure. One that
// asks for more begins a recording beside the daemon's own, of the culprit where there is one, and is a row of the
// table `incident` in the day's file. Nothing is read of the store.
#ifndef HEARTH_COLLECTOR_DAEMON_WATCH_H
#define HEARTH_COLLECTOR_DAEMON_WATCH_H

#include "collector/daemon/rule.h"
#include "collector/daemon/side_recordings.h"
#include "collector/session/recorder.h"
#include "store/base/options.h"

struct watch {
    struct rule *rules;
    size_t count;
    uint64_t incidents; // since the daemon began
};

// Takes these rules in place of those before; one that is among both goes on. -EINVAL with a fault: those before stay.
int watch__read(struct watch *watch, const struct option_list *rules, struct fault *fault);
void watch__release(struct watch *watch);

// After an interval.
void watch__judge(struct watch *watch, const struct recorder_drained *drained, struct side_recordings *sides);

#endif
