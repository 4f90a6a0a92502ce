// tracepoint:CATEGORY:NAME: the kernel's tracepoints, by their ids in tracefs.
#ifndef HEARTH_COLLECTOR_SOURCES_SOURCE_TRACEPOINT_H
#define HEARTH_COLLECTOR_SOURCES_SOURCE_TRACEPOINT_H

#include "collector/sources/source.h"

// Every tracepoint whose "CATEGORY:NAME" fits the glob; a result of `row` that is not 0 ends the walk.
int source_tracepoint__each(const char *pattern, int (*row)(const char *name, uint64_t id, void *context),
                            void *context, struct fault *fault);

#endif
