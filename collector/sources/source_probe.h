// uprobe:FILE:SYMBOL[+OFFSET] and uretprobe:FILE:SYMBOL, with the BPF programs of source_probe behind them; and the
// parts that other events on places in files share.
#ifndef HEARTH_COLLECTOR_SOURCES_SOURCE_PROBE_H
#define HEARTH_COLLECTOR_SOURCES_SOURCE_PROBE_H

#include "collector/sources/source.h"

int source_probe__parse_entry(struct event *event, struct fault *fault);
int source_probe__parse_return(struct event *event, struct fault *fault);
int source_probe__prepare(struct event *event, const struct target *target, struct fault *fault);
void source_probe__release(struct event *event);
int source_probe__configure(struct event *event, struct loaded *loaded, struct fault *fault);
int source_probe__attach_entry(struct event *event, const struct target *target, struct fault *fault);

// The process that a probe's FILE is looked up in; 0: none.
uint32_t source_probe__pid(const struct target *target);

#endif
