// Keeps the time that BPF programs take of each CPU below a share of it: twice a second reads how long the programs of
// each event ran (wire_tally.events), halves or doubles rates by the rule of collector/session/pace.h, writes the new
// ones to control.halvings, and tells the user. Of fewer hits each counts for more, and the sums stay true.
//
// Histograms, and the waits of --wall, count every single hit: when those programs take more, the governor tells the
// user, and does nothing. One thread.
#ifndef HEARTH_COLLECTOR_SESSION_GOVERNOR_H
#define HEARTH_COLLECTOR_SESSION_GOVERNOR_H

#include <stdint.h>

#include "collector/programs/loader.h"
#include "collector/sources/source.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct governor;

// The events are borrowed: WIRE_EVENTS_MAX places, of which the first event_count have one. The loader must have loaded
// its first object.
int governor__new(const struct loader *loader, const struct event *events, size_t event_count, double share,
                  struct fault *fault, struct governor **ret_governor);
void governor__free(struct governor *governor);

// Readable when governor__tick() is due: twice a second.
int governor__fd(const struct governor *governor);

typedef void say_fn(void *context, const char *text);

// Another event has this place among the events, or none has it any more.
void governor__set_event(struct governor *governor, size_t index);
uint32_t governor__halvings(const struct governor *governor, size_t index); // one hit in 2^halvings is taken
double governor__share(const struct governor *governor);
void governor__set_share(struct governor *governor, double share);
// Besides what the share asks for, from the next tick on.
void governor__set_halvings(struct governor *governor, uint32_t halvings);

// Says each change through `say`. bpf_ns: how long all of hearth's programs ran since the start, as far as is known.
void governor__tick(struct governor *governor, uint64_t bpf_ns, say_fn *say, void *context);

DEFINE_CLEANUP(struct governor *, governor__free);

#endif
