// Files as another process sees them, opened without trusting it: paths are resolved below its root (openat2 with
// RESOLVE_IN_ROOT: symlinks and ".." stay inside), never block on a FIFO, and only regular files are given out, none of
// procfs, sysfs, tracefs and their kind, which a link may lead to.
#ifndef HEARTH_SYMBOLIZER_FOREIGN_FILE_H
#define HEARTH_SYMBOLIZER_FOREIGN_FILE_H

#include <stdint.h>
#include <sys/types.h>

// The root directory of a process (its mount namespace, its chroot). -ENOENT: no such process.
int foreign_file__open_root(pid_t pid, int *ret_fd);

// Opens a path below `root_fd` (-1: our own root) for reading. -EINVAL: not a regular file, or one of the kernel's.
int foreign_file__open(int root_fd, const char *path, int *ret_fd);

// As foreign_file__open, of a file in a folder where anybody may put links: follows none (-EINVAL).
int foreign_file__open_in(int folder_fd, const char *name, int *ret_fd);

// A folder below `root_fd`, as a place only (O_PATH).
int foreign_file__open_folder(int root_fd, const char *path, int *ret_fd);

// Opens what a process maps there, also a file that was deleted or replaced meanwhile. -ENOENT: it is gone; -EINVAL:
// not a regular file (devices can be mapped too).
int foreign_file__open_mapping(pid_t pid, uint64_t start, uint64_t end, int *ret_fd);

#endif
