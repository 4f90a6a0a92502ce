#include "symbolizer/opening/foreign_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/system/live_thread.h"
#include "symbolizer/opening/local_mounts.h"
#include "symbolizer/opening/opener.h"

static int set_path(struct opening *opening, const char *path)
{
    static const char self[] = "/proc/self/";
    bool is_self = strncmp(path, self, sizeof(self) - 1) == 0; // in the opener, /proc/self is the opener
    int length = snprintf(opening->path, sizeof(opening->path), is_self ? "/proc/%d/%s" : "%.0d%s", getpid() * is_self,
                          path + (is_self ? sizeof(self) - 1 : 0));
    return length < (int)sizeof(opening->path) ? 0 : -ENAMETOOLONG;
}

// This thread opens the file while its path stays in a local mount (RESOLVE_NO_XDEV); the opener opens all others.
static int open_path(struct opening *opening, int folder_fd, struct opened *ret_opened)
{
    int err = -EXDEV;
    if (local_mounts__may_walk(folder_fd, opening->path)) {
        opening->flags |= OPENING_SAME_MOUNT;
        err = opening__run(opening, folder_fd, NULL, ret_opened);
        opening->flags &= ~(uint32_t)OPENING_SAME_MOUNT;
    }
    if (err != -EXDEV)
        return err;
    if (folder_fd < 0)
        opening->device = local_mounts__device_of(opening->path);
    return opener__ask(opening, folder_fd, ret_opened);
}

// Hands over the file, or the place where only that was asked for, and closes the other one.
static int take(int err, struct opened *opened, int *ret_fd)
{
    int *taken = opened->fd >= 0 ? &opened->fd : &opened->place_fd;
    if (!err)
        *ret_fd = take_fd(taken);
    opened__close(opened);
    return err;
}

static int take_both(const struct opened *opened, int *ret_fd, int *ret_place_fd)
{
    *ret_fd = opened->fd;
    *ret_place_fd = opened->place_fd;
    return 0;
}

// Most processes have our own root. readlink() tells that without a call to their file system.
static bool has_our_root(pid_t pid)
{
    char link[64], theirs[64], ours[64], root[2];
    snprintf(link, sizeof(link), "/proc/%d/root", pid);
    if (readlink(link, root, sizeof(root)) != 1)
        return false;
    snprintf(link, sizeof(link), "/proc/%d/ns/mnt", pid);
    ssize_t length = readlink(link, theirs, sizeof(theirs));
    return length > 0 && readlink("/proc/self/ns/mnt", ours, sizeof(ours)) == length &&
           memcmp(theirs, ours, (size_t)length) == 0;
}

int foreign_file__open_root(pid_t pid, int *ret_fd)
{
    struct opening opening = {.kind = OPENING_ROOT, .pid = pid};
    struct opened opened = OPENED_NONE;
    bool is_ours = has_our_root(live_thread__of(pid)) && local_mounts__may_walk(-1, "/");
    snprintf(opening.path, sizeof(opening.path), "/proc/%d/root", pid); // for messages
    int err = is_ours ? opening__run(&opening, -1, NULL, &opened) : opener__ask(&opening, -1, &opened);
    return take(err, &opened, ret_fd);
}

static int open_below(enum opening_kind kind, uint32_t flags, int folder_fd, const char *path,
                      struct opened *ret_opened)
{
    struct opening opening = {.kind = kind, .flags = flags};
    int err = set_path(&opening, path);
    return err ? err : open_path(&opening, folder_fd, ret_opened);
}

int foreign_file__open_with_place(int root_fd, const char *path, int *ret_fd, int *ret_place_fd)
{
    struct opened opened = OPENED_NONE;
    int err = open_below(OPENING_PATH, 0, root_fd, path, &opened);
    return err ? err : take_both(&opened, ret_fd, ret_place_fd);
}

int foreign_file__find_with_place(int root_fd, const char *path, int *ret_fd, int *ret_place_fd)
{
    struct opening opening = {.kind = OPENING_FIND};
    struct opened opened = OPENED_NONE;
    int err = set_path(&opening, path);
    if (!err)
        err = opener__ask(&opening, root_fd, &opened);
    return err ? err : take_both(&opened, ret_fd, ret_place_fd);
}

int foreign_file__open(int root_fd, const char *path, int *ret_fd)
{
    struct opened opened = OPENED_NONE;
    return take(open_below(OPENING_PATH, 0, root_fd, path, &opened), &opened, ret_fd);
}

int foreign_file__open_itself(int root_fd, const char *path, int *ret_fd)
{
    struct opened opened = OPENED_NONE;
    return take(open_below(OPENING_PATH, OPENING_NO_COPY, root_fd, path, &opened), &opened, ret_fd);
}

int foreign_file__open_in(int folder_fd, const char *name, int *ret_fd)
{
    struct opened opened = OPENED_NONE;
    return take(open_below(OPENING_NAME, OPENING_NO_COPY, folder_fd, name, &opened), &opened, ret_fd);
}

int foreign_file__open_folder(int root_fd, const char *path, int *ret_fd)
{
    struct opened opened = OPENED_NONE;
    return take(open_below(OPENING_FOLDER, 0, root_fd, path, &opened), &opened, ret_fd);
}

int foreign_file__open_mapping(const struct foreign_mapping *mapping, int *ret_fd)
{
    struct opening opening = {.kind = OPENING_MAPPING,
                              .flags = mapping->no_copy ? OPENING_NO_COPY : 0,
                              .pid = mapping->pid,
                              .device = mapping->device,
                              .start = mapping->start,
                              .end = mapping->end};
    struct opened opened = OPENED_NONE;
    int err = -EXDEV;
    if (local_mounts__has(mapping->device))
        err = opening__run(&opening, -1, local_mounts__has_place, &opened);
    if (err != -EXDEV)
        return take(err, &opened, ret_fd);
    char link[96]; // for messages, and for the opener's key of the file system
    snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, live_thread__of(mapping->pid),
             mapping->start, mapping->end);
    ssize_t length = readlink(link, opening.path, sizeof(opening.path) - 1);
    if (length < 0)
        return -errno;
    return take(opener__ask(&opening, -1, &opened), &opened, ret_fd);
}
