// The events of `hearth hist` as its sources see them.
#ifndef HEARTH_COLLECTOR_SOURCES_HIST_EVENT_H
#define HEARTH_COLLECTOR_SOURCES_HIST_EVENT_H

#include "collector/sources/source.h"

// The options for the programs, and the words for an option that means nothing for the event.
int hist_event__configure(struct event *event, struct loaded *loaded, struct fault *fault);
int hist_event__misplaced(const struct event *event, const char *option, struct fault *fault);
// Of a probe whose arguments the kernel side cannot see: that no option asks for one.
int hist_event__check_plain(const struct event *event, struct fault *fault);

#endif
