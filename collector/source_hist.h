// The probes of `hearth hist`: rows of the same kind as sources[], each with a histogram's options.
#ifndef HEARTH_COLLECTOR_SOURCE_HIST_H
#define HEARTH_COLLECTOR_SOURCE_HIST_H

#include "collector/hist_options.h"
#include "collector/source.h"

extern const struct source hist_sources[]; // ended by a row without a spelling

// For the sources in files of their own: the options for the programs, and the words for an option that means nothing
// for the event.
int hist_event__configure(struct event *event, struct loaded *loaded, struct fault *fault);
int hist_event__misplaced(const struct event *event, const char *option, struct fault *fault);

#endif
