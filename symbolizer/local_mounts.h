// The mounts of our own namespace, as they are now, for the decision of mount_table.h. Read again when the kernel tells
// of a change (poll() of /proc/self/mountinfo); a mount of another namespace alone is not in it, and may wait. Any
// thread. Cost: 1 us a question.
#ifndef HEARTH_SYMBOLIZER_LOCAL_MOUNTS_H
#define HEARTH_SYMBOLIZER_LOCAL_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

// Whether files of that device (major << 20 | minor; 0: not known) are never waited for.
bool local_mounts__has(uint32_t device);
// Whether a path may be walked, as far as the mount goes that it begins in: the folder, or for -1 our own root or
// working directory.
bool local_mounts__may_walk(int folder_fd, const char *path);
// By the words of a path of ours; 0: not known.
uint32_t local_mounts__device_of(const char *path);

#endif
