// cgroups (v2): from a path to the id that programs see, and from such an id back to the path, whether or not a process
// of it still lives.
#ifndef HEARTH_COLLECTOR_WHO_CGROUPS_H
#define HEARTH_COLLECTOR_WHO_CGROUPS_H

#include <stddef.h>
#include <stdint.h>

// `path` is below the mount of cgroup2 ("/system.slice"), or a directory in it as the file system shows it.
// The level is its depth: 0 is the root. -ENOENT, or -ENODEV where no cgroup2 is mounted.
int cgroup__find(const char *path, uint64_t *ret_id, uint32_t *ret_level);

// The path below the mount, "/" for the root. -ESTALE: there is no such cgroup any more. Needs CAP_DAC_READ_SEARCH.
int cgroup__path(uint64_t id, char *ret_path, size_t bytes);

#endif
