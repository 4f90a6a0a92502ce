// The paths of control groups by their ids, those included that were made and removed during the recording: a BPF
// program tells of each when it is made. Without it (an older kernel), only those are known that are still there.
#ifndef HEARTH_COLLECTOR_PROGRAMS_CGROUP_NAMES_H
#define HEARTH_COLLECTOR_PROGRAMS_CGROUP_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "collector/programs/loader.h"
#include "store/base/cleanup.h"

struct cgroup_names;

// `loaded` is the object "cgroups", attached; NULL: there is none. Borrowed.
int cgroup_names__new(struct loaded *loaded, struct cgroup_names **ret_names);
void cgroup_names__free(struct cgroup_names *names);

// Readable when control groups were made; -1: never.
int cgroup_names__fd(const struct cgroup_names *names);
// Takes what the programs have told.
void cgroup_names__read(struct cgroup_names *names);

// The path below the mount, as cgroup__path() has it. -ESTALE: it is gone, and was made before the recording.
int cgroup_names__path(struct cgroup_names *names, uint64_t id, char *ret_path, size_t bytes);

DEFINE_CLEANUP(struct cgroup_names *, cgroup_names__free);

#endif
