// The mounts of our own namespace, as they are now, for the decision of mount_table.h. Each question first asks poll()
// whether /proc/self/mountinfo has changed, and reads it again if so. A mount of another namespace alone is not in it,
// and counts as one that may wait. Any thread; none waits for another's question
// to the opener. Cost: 1 us a question.
#ifndef HEARTH_SYMBOLIZER_OPENING_LOCAL_MOUNTS_H
#define HEARTH_SYMBOLIZER_OPENING_LOCAL_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

// Whether a device (major << 20 | minor; 0: not known) is a local file system's.
bool local_mounts__has(uint32_t device);
// The same of an open file or folder (also with O_PATH), without a call to its file system.
bool local_mounts__has_place(int place_fd);
// Whether openat2() with RESOLVE_NO_XDEV can open a path without waiting: the mount that the path begins in (of the
// folder, or for -1 of our own root or working directory) is local, and there is no autofs.
bool local_mounts__may_walk(int folder_fd, const char *path);
// The device of the file system that may wait where a path of ours lies, by mount_table__find_path; 0: none, or not
// known.
uint32_t local_mounts__device_of(const char *path);

#endif
