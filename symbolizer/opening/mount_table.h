// Tells local file systems, on this machine's disks and in its memory, from those that may wait. A network file system
// waits for its server, FUSE for a process, autofs for a daemon: when those are gone, open(), stat(), read() and even
// close() wait for ever, and SIGKILL does not end each of these waits. A network block device counts as a disk.
//
//   36 26 8:1 / /home rw,relatime shared:1 - ext4 /dev/sda1 rw          /proc/PID/mountinfo, proc_pid_mountinfo(5)
//
// The device is s_dev of the superblock, as in /proc/PID/maps and perf's records, so a mapping's file is judged without
// touching it. stat() tells others of files on btrfs (the subvolume's) and on overlays (the layer's), so an open file
// is judged by its mount's id. An overlay is judged by its layers (opening.h).
#ifndef HEARTH_SYMBOLIZER_OPENING_MOUNT_TABLE_H
#define HEARTH_SYMBOLIZER_OPENING_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"

enum mount_nature {
    MOUNT_UNKNOWN, // no such device here: it may wait
    MOUNT_LOCAL,
    MOUNT_OVERLAY,
    MOUNT_MAY_WAIT,
};

struct mount {
    uint64_t id;     // as statx() tells it of a file
    uint32_t device; // major << 20 | minor
    enum mount_nature nature;
    char *point;
};

struct mount_table {
    struct buf mounts; // struct mount
    bool has_autofs;   // openat2() may wait for its daemon, at any component of a path
};

// Reads mountinfo's text, and writes into it. Passes over lines that make no sense. -ENOMEM.
int mount_table__parse(char *text, struct mount_table *ret_table);
void mount_table__release(struct mount_table *table);

struct mount *mount_table__find(const struct mount_table *table, uint32_t device);
struct mount *mount_table__find_id(const struct mount_table *table, uint64_t id);
// The mount with the longest mount point that an absolute path begins with, without a call to the file system: a
// symbolic link may lead elsewhere. NULL: none.
const struct mount *mount_table__find_path(const struct mount_table *table, const char *path);

// By statfs(2)'s f_type.
enum mount_nature mount_nature__of_magic(uint32_t magic);

// The layers of an overlay, by the mount options of its line in mountinfo: calls `take` for the path of each. -ENOTSUP
// where one is told by a path that is not absolute.
typedef int mount_layer_fn(const char *path, void *context);
int mount_layers__each(char *options, mount_layer_fn *take, void *context);

#endif
