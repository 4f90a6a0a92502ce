// Files as another process sees them, opened without trusting it or its file systems: paths are resolved below its root
// (symlinks and ".." stay inside), never block on a FIFO, and only regular files are given out, none of procfs, sysfs,
// tracefs and their kind, which a link may lead to (opening.h).
//
// No call here, and no read of a file that is given out, waits for a file system that does not answer (mount_table.h).
// The calling thread opens a file that is known to be on a local file system: by the device of its mapping, or since
// its path does not leave a local mount. The opener, another process, opens all others (opener.h), and gives out a copy
// in memory where the file system may wait. -ETIMEDOUT: the file system does not answer.
#ifndef HEARTH_SYMBOLIZER_OPENING_FOREIGN_FILE_H
#define HEARTH_SYMBOLIZER_OPENING_FOREIGN_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// The root directory of a process (its mount namespace, its chroot). -ENOENT: no such process.
int foreign_file__open_root(pid_t pid, int *ret_fd);

// Opens a path below `root_fd` (-1: our own root) for reading. -EINVAL: not a regular file, or one of the kernel's.
int foreign_file__open(int root_fd, const char *path, int *ret_fd);

// The same, with the file itself as a place (O_PATH) beside what is read, which may be a copy of it.
int foreign_file__open_with_place(int root_fd, const char *path, int *ret_fd, int *ret_place_fd);

// The same, of the first file, in the order of names, whose path begins with `path`.
int foreign_file__find_with_place(int root_fd, const char *path, int *ret_fd, int *ret_place_fd);

// As foreign_file__open, but never a copy, which does not grow with the file. -EXDEV: its file system may wait.
int foreign_file__open_itself(int root_fd, const char *path, int *ret_fd);

// The same, of a file in a folder where anybody may put links: follows none (-EINVAL).
int foreign_file__open_in(int folder_fd, const char *name, int *ret_fd);

// A folder below `root_fd`, as a place only (O_PATH).
int foreign_file__open_folder(int root_fd, const char *path, int *ret_fd);

// Opens what a process maps there, also a file that was deleted or replaced meanwhile. The device is that of the
// mapping (major << 20 | minor), 0: not known. -ENOENT: it is gone; -EINVAL: not a regular file (devices can be mapped
// too).
struct foreign_mapping {
    pid_t pid;
    uint64_t start, end;
    uint32_t device;
    bool no_copy; // -EXDEV rather
};
int foreign_file__open_mapping(const struct foreign_mapping *mapping, int *ret_fd);

#endif
