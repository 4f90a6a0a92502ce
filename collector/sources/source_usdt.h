// usdt:FILE:PROVIDER:NAME. As an event it is a uprobe at each place of the probe, with the BPF program sample_probe
// behind it; histograms are in source_hist_usdt.c. The kernel itself raises and lowers the probes' semaphores, so that
// none stays raised when hearth is killed.
#ifndef HEARTH_COLLECTOR_SOURCES_SOURCE_USDT_H
#define HEARTH_COLLECTOR_SOURCES_SOURCE_USDT_H

#include "collector/sources/source.h"

int source_usdt__parse(struct event *event, struct fault *fault);

#endif
