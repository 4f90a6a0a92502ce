// The user stacks of threads that wait since before the recording: bpf/early_waits.bpf.c, loaded beside the sources
// that count waits, and run when they have begun and before each drain.
#ifndef HEARTH_COLLECTOR_PROGRAMS_EARLY_WAITS_H
#define HEARTH_COLLECTOR_PROGRAMS_EARLY_WAITS_H

#include "collector/programs/loader.h"

struct early_waits;

// After the sources' objects. -ENOTSUP: this kernel has no sleepable iterators that read other processes (5.18 and
// later do); such stacks keep their mark then.
int early_waits__new(struct loader *loader, struct early_waits **ret_early);
void early_waits__free(struct early_waits *early); // NULL is fine
const struct loaded *early_waits__loaded(const struct early_waits *early);

// Unwinds those that have no stack yet.
int early_waits__unwind(struct early_waits *early);

#endif
