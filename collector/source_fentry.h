// fentry:FUNCTION: a function of the kernel, through the trampoline that BTF allows.
#ifndef HEARTH_COLLECTOR_SOURCE_FENTRY_H
#define HEARTH_COLLECTOR_SOURCE_FENTRY_H

#include "collector/source.h"

int source_fentry__parse(struct event *event, struct fault *fault);
int source_fentry__prepare(struct event *event, const struct target *target, struct fault *fault);
int source_fentry__configure(struct event *event, struct loaded *loaded, struct fault *fault);

#endif
