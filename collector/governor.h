// Keeps the time that BPF programs take of a CPU below a share of it: now and then reads how long each event's took,
// judges (collector/pace.h), tells the programs (control.halvings), and says so. Fewer hits are taken then, and they
// add up to the same.
//
// Histograms, and the waits of --wall, are exact by what they promise: of those every one is counted, and it is only
// said when they take more. One thread.
#ifndef HEARTH_COLLECTOR_GOVERNOR_H
#define HEARTH_COLLECTOR_GOVERNOR_H

#include <stdint.h>

#include "collector/loader.h"
#include "collector/source.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct governor;

// The events are borrowed. The loader must have loaded its first object.
int governor__new(const struct loader *loader, const struct event *events, size_t event_count, double share,
                  struct fault *fault, struct governor **ret_governor);
void governor__free(struct governor *governor);

// Readable when governor__tick() wants to be called: twice a second.
int governor__fd(const struct governor *governor);

typedef void say_fn(void *context, const char *text);

// Says each change through `say`. bpf_ns: what all of hearth's programs took since the start, as far as it is known.
void governor__tick(struct governor *governor, uint64_t bpf_ns, say_fn *say, void *context);

DEFINE_CLEANUP(struct governor *, governor__free);

#endif
