// Opens a stranger's file. These calls wait for ever where the file system does not answer (mount_table.h): the
// opener's process makes them (opener.h), and foreign_file.c for files that are known to be on a local file system.
//
// Paths are resolved below a root (openat2 with RESOLVE_IN_ROOT: symlinks and ".." stay inside). A file is first opened
// as a place only (O_PATH), since open() of a device or a FIFO already acts on it, then for reading with O_NONBLOCK:
// where the file's owner holds a lease (F_SETLEASE), open() returns EWOULDBLOCK and does not wait. Only regular files
// are given out, none of procfs, sysfs, tracefs and their kind, which a link may lead to.
#ifndef HEARTH_SYMBOLIZER_OPENING_OPENING_H
#define HEARTH_SYMBOLIZER_OPENING_OPENING_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbolizer/opening/file_copy.h"

enum opening_kind {
    OPENING_PATH,     // a file by its path below the folder, or by our own root
    OPENING_NAME,     // in the folder, through no link
    OPENING_FOLDER,   // a folder, as a place
    OPENING_ROOT,     // the root directory of the process `pid`, as a place
    OPENING_MAPPING,  // the file that `pid` maps at [start, end)
    OPENING_FIND,     // the first file, in the order of names, whose path begins with the one given
    OPENING_IS_LOCAL, // nothing: whether the overlay with this mount id has local layers; -EXDEV: it has not
};

enum {
    OPENING_NO_COPY = 1,    // -EXDEV rather than a copy of a file whose file system may wait
    OPENING_SAME_MOUNT = 2, // -EXDEV where the path leaves the mount that it begins in
};

struct opening { // sent to the opener as it is
    uint32_t kind;
    uint32_t flags;
    int32_t pid;
    uint32_t device; // major << 20 | minor of what is opened; 0: not known
    uint64_t start, end;
    uint64_t mount_id; // of OPENING_IS_LOCAL
    char path[PATH_MAX];
};

struct opened {
    int fd;       // to be read: the file, or the copy of one whose file system may wait; -1: a place was asked for
    int place_fd; // the file or folder itself (O_PATH)
};

#define OPENED_NONE ((struct opened){-1, -1})

void opened__close(struct opened *opened);

// Whether the file system of a place may be called by this thread.
typedef bool opening_check_fn(int place_fd);

// Opens the file itself. Asks `may_call` (NULL: known before) once the place is open, and before any call that its file
// system answers: the process may meanwhile have mapped another file there. -EXDEV: it may not be called, or it is a
// memfd that passes for a copy (file_copy.h); -EINVAL: not a regular file, or one of the kernel's.
int opening__run(const struct opening *opening, int folder_fd, opening_check_fn *may_call, struct opened *ret_opened);
// The same, but gives out a copy where the file system may wait.
int opening__run_apart(const struct opening *opening, int folder_fd, file_copy_fn *progress, void *context,
                       struct opened *ret_opened);

#endif
