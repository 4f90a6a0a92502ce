// Roll-up and retirement beside the recording: a thread at the lowest priority, once a minute, for some seconds at
// most. No drain waits for it.
#ifndef HEARTH_COLLECTOR_DAEMON_UPKEEP_H
#define HEARTH_COLLECTOR_DAEMON_UPKEEP_H

#include <stdbool.h>

#include "store/base/cleanup.h"
#include "store/directory/maintenance.h"

struct upkeep;

int upkeep__new(struct upkeep **ret_upkeep); // -ENOMEM
void upkeep__free(struct upkeep *upkeep);    // waits for what runs

// Whether it is time, and nothing runs. Says how the last one failed, if it did, unless the one before failed so too.
bool upkeep__is_due(struct upkeep *upkeep);
void upkeep__begin(struct upkeep *upkeep, const struct maintenance *plan);

DEFINE_CLEANUP(struct upkeep *, upkeep__free);

#endif
