// Whether the kernel's maps are about to be full: the programs count what they put into the maps of each set, and ask
// for a drain when one of them is at its mark.
#ifndef HEARTH_COLLECTOR_PROGRAMS_FILL_H
#define HEARTH_COLLECTOR_PROGRAMS_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/programs/loader.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct fill;

// The marks of maps of these bounds, for the programs' configuration.
void fill__mark(const struct loader_bounds *bounds, struct wire_config *config);

// The loader must have loaded its first object. `config` is borrowed.
int fill__new(const struct loader *loader, const struct wire_config *config, struct fault *fault,
              struct fill **ret_fill);
void fill__free(struct fill *fill);

// Readable when the programs have asked.
int fill__fd(const struct fill *fill);
// Takes what they have asked; whether a map of the active set is at its mark.
bool fill__take(struct fill *fill);
// The maps of a set have been emptied.
void fill__clear(struct fill *fill, uint32_t set);

DEFINE_CLEANUP(struct fill *, fill__free);

#endif
