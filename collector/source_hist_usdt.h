// Histograms of usdt:FILE:PROVIDER:START,END, and of usdt:FILE:PROVIDER:NAME --value argN: uprobes at the places of the
// probes, with the BPF programs of source_hist_usdt. Of a probe's arguments only those that are asked for are read, so
// that the others may be in forms that nobody knows.
#ifndef HEARTH_COLLECTOR_SOURCE_HIST_USDT_H
#define HEARTH_COLLECTOR_SOURCE_HIST_USDT_H

#include "collector/source.h"

int source_hist_usdt__parse(struct event *event, struct fault *fault);
int source_hist_usdt__prepare(struct event *event, const struct target *target, struct fault *fault);
void source_hist_usdt__release(struct event *event);
int source_hist_usdt__configure(struct event *event, struct loaded *loaded, struct fault *fault);
int source_hist_usdt__attach(struct event *event, const struct target *target, struct fault *fault);

#endif
