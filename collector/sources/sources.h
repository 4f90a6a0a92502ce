// The list of kinds of events (sources.def). The first whose parse knows the spelling wins.
#ifndef HEARTH_COLLECTOR_SOURCES_SOURCES_H
#define HEARTH_COLLECTOR_SOURCES_SOURCES_H

#include <stdio.h>

#include "collector/sources/source.h"

extern const struct source *const sources[]; // ended by NULL

// Finds the source for event->spelled, of samples or of histograms as the event has it, and lets it parse. -EINVAL with
// a fault where none knows it.
int sources__parse(struct event *event, struct fault *fault);

// Prints them, those of histograms or the others, for help.
void sources__print(FILE *file, bool is_histogram);

#endif
