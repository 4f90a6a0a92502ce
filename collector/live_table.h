// A recording with a live table on the terminal: reads the keys, draws after each interval, and keeps what hearth says
// on stderr for the last line of the screen, and for the end.
#ifndef HEARTH_COLLECTOR_LIVE_TABLE_H
#define HEARTH_COLLECTOR_LIVE_TABLE_H

#include "collector/session/recorder.h"
#include "report/profile/stack_filter.h"

// All but the owner, the status line and the store of the options count; the first event is shown. Returns when the
// user, a signal or the end of the target ends it; the terminal is as before then, whatever the result is.
int live_table__run(const struct recorder_options *options, const struct stack_filter *stacks, struct fault *fault,
                    struct recorder_summary *ret_summary);

#endif
