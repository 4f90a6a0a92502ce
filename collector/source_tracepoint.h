// tracepoint:CATEGORY:NAME: the kernel's tracepoints, by their ids in tracefs.
#ifndef HEARTH_COLLECTOR_SOURCE_TRACEPOINT_H
#define HEARTH_COLLECTOR_SOURCE_TRACEPOINT_H

#include "collector/source.h"

int source_tracepoint__parse(struct event *event, struct fault *fault);
int source_tracepoint__prepare(struct event *event, const struct target *target, struct fault *fault);
void source_tracepoint__release(struct event *event);
int source_tracepoint__attach(struct event *event, const struct target *target, struct fault *fault);

// Every tracepoint whose "CATEGORY:NAME" fits the glob; a result of `row` that is not 0 ends the walk.
int source_tracepoint__each(const char *pattern, int (*row)(const char *name, uint64_t id, void *context),
                            void *context, struct fault *fault);

#endif
