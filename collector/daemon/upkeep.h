// Roll-up and retirement beside the recording: a process at the lowest priority, once a minute, for some seconds at
// most. No drain waits for it, and its memory is not the recording's. A process and not a thread also for SQLite's
// locks: those of a process on a file are gone when it closes any descriptor of that file (fcntl(2)), and the daemon
// has one open.
#ifndef HEARTH_COLLECTOR_DAEMON_UPKEEP_H
#define HEARTH_COLLECTOR_DAEMON_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/directory/maintenance.h"

struct upkeep;

// Forks: to be called before there are threads, locks and stores. -ENOMEM, -EAGAIN.
int upkeep__new(struct upkeep **ret_upkeep);
void upkeep__free(struct upkeep *upkeep); // ends the process in the middle of what it does, which costs nothing

// Whether it is time, and nothing runs. Says how the last one failed, if it did, unless the one before failed so too.
bool upkeep__is_due(struct upkeep *upkeep);
// Whether damage was found in the file of this name, which is the live one; once. To be asked after upkeep__is_due.
bool upkeep__has_damaged(struct upkeep *upkeep, const char *live);
void upkeep__begin(struct upkeep *upkeep, const struct maintenance *plan);

// Bytes that the process has written to the store, up to the end of the last plan.
uint64_t upkeep__written_bytes(const struct upkeep *upkeep);

DEFINE_CLEANUP(struct upkeep *, upkeep__free);

#endif
