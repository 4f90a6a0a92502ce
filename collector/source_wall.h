// wall: the time of each thread, on the CPU and off it.
#ifndef HEARTH_COLLECTOR_SOURCE_WALL_H
#define HEARTH_COLLECTOR_SOURCE_WALL_H

#include "collector/source.h"

int source_wall__parse(struct event *event, struct fault *fault);
void source_wall__release(struct event *event);
int source_wall__attach(struct event *event, const struct target *target, struct fault *fault);
int source_wall__settle(struct event *event, struct drain *drain, bool is_last);

#endif
