#include "symbolizer/opening/opening.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/system/live_thread.h"
#include "symbolizer/opening/mount_table.h"

void opened__close(struct opened *opened)
{
    fd__close(&opened->fd);
    fd__close(&opened->place_fd);
    *opened = OPENED_NONE;
}

// File systems whose files the kernel makes when they are read: read() may block, take data that other processes wait
// for (/proc/kmsg, trace_pipe), or return data that only root may see. statfs(2)'s numbers.
static bool is_of_the_kernel(uint32_t magic)
{
    static const uint32_t magics[] = {PROC_SUPER_MAGIC,     SYSFS_MAGIC,    TRACEFS_MAGIC,      DEBUGFS_MAGIC,
                                      SECURITYFS_MAGIC,     BPF_FS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                      PSTOREFS_MAGIC,       EFIVARFS_MAGIC, SELINUX_MAGIC,      SMACK_MAGIC,
                                      BINDERFS_SUPER_MAGIC, 0x62656570 /* configfs, which magic.h lacks */};
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (magic == magics[i])
            return true;
    return false;
}

static int open_place(int folder_fd, const char *path, uint64_t flags, uint64_t resolve, int *ret_fd)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = resolve};
    int fd = (int)syscall(SYS_openat2, folder_fd < 0 ? AT_FDCWD : folder_fd, path, &how, sizeof(how));
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

// The first of a folder's names that begin with `wanted`, in the order of strcmp(); "": none.
static void first_name(DIR *folder, const char *wanted, char ret_name[NAME_MAX + 1])
{
    ret_name[0] = '\0';
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strncmp(entry->d_name, wanted, strlen(wanted)) == 0 &&
            (!ret_name[0] || strcmp(entry->d_name, ret_name) < 0))
            snprintf(ret_name, NAME_MAX + 1, "%s", entry->d_name);
}

static int find_first(const struct opening *opening, int folder_fd, uint64_t resolve, int *ret_fd)
{
    char path[PATH_MAX], name[NAME_MAX + 1];
    const char *slash = strrchr(opening->path, '/');
    _cleanup_fd_ int place = -1;
    if (!slash)
        return -EINVAL;
    snprintf(path, sizeof(path), "%.*s", (int)(slash + 1 - opening->path), opening->path);
    int err = open_place(folder_fd, path, O_DIRECTORY, resolve, &place);
    if (err)
        return err;
    int readable = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(close_folder) DIR *folder = readable < 0 ? NULL : fdopendir(readable);
    if (!folder)
        return -errno;
    first_name(folder, slash + 1, name);
    if (!name[0] || strlen(path) + strlen(name) >= sizeof(path))
        return -ENOENT;
    memcpy(path + strlen(path), name, strlen(name) + 1);
    return open_place(folder_fd, path, 0, resolve, ret_fd);
}

static int find_place(const struct opening *opening, int folder_fd, int *ret_fd)
{
    enum { BELOW = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    uint64_t same_mount = opening->flags & OPENING_SAME_MOUNT ? RESOLVE_NO_XDEV : 0;
    char path[96];
    switch ((enum opening_kind)opening->kind) {
    case OPENING_NAME:
        return open_place(folder_fd, opening->path, O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | same_mount,
                          ret_fd);
    case OPENING_FOLDER:
        return open_place(folder_fd, opening->path, O_DIRECTORY, BELOW | same_mount, ret_fd);
    case OPENING_ROOT:
        snprintf(path, sizeof(path), "/proc/%d/root", live_thread__of(opening->pid));
        return open_place(-1, path, O_DIRECTORY, 0, ret_fd);
    case OPENING_MAPPING:
        snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, live_thread__of(opening->pid),
                 opening->start, opening->end);
        return open_place(-1, path, 0, 0, ret_fd);
    case OPENING_FIND:
        return find_first(opening, folder_fd, folder_fd >= 0 ? BELOW : 0, ret_fd);
    case OPENING_PATH:
        return open_place(folder_fd, opening->path, 0, (folder_fd >= 0 ? BELOW : 0) | same_mount, ret_fd);
    case OPENING_IS_LOCAL:
        break;
    }
    return -EINVAL;
}

static bool is_folder(const struct opening *opening)
{
    return opening->kind == OPENING_FOLDER || opening->kind == OPENING_ROOT;
}

// Opens the file for reading by its place.
static int open_file(struct opened *opened, uint32_t *ret_type)
{
    struct stat status;
    struct statfs system;
    char again[64];
    if (fstatfs(opened->place_fd, &system) != 0)
        return -errno;
    *ret_type = (uint32_t)system.f_type;
    if (fstat(opened->place_fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || is_of_the_kernel(*ret_type))
        return -EINVAL;
    snprintf(again, sizeof(again), "/proc/self/fd/%d", opened->place_fd);
    opened->fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return opened->fd < 0 ? -errno : 0;
}

int opening__run(const struct opening *opening, int folder_fd, opening_check_fn *may_call, struct opened *ret_opened)
{
    _cleanup_(opened__close) struct opened opened = OPENED_NONE;
    uint32_t type;
    int err = find_place(opening, folder_fd, &opened.place_fd);
    if (!err && !is_folder(opening))
        err = may_call && !may_call(opened.place_fd) ? -EXDEV : open_file(&opened, &type);
    if (!err && opened.fd >= 0 && file_copy__is(opened.fd))
        err = -EXDEV;
    if (err)
        return err;
    *ret_opened = opened;
    opened = OPENED_NONE;
    return 0;
}

// ---- Local file systems

static int check_layer(const char *path, void *context)
{
    struct statfs system;
    (void)context;
    return statfs(path, &system) == 0 && mount_nature__of_magic((uint32_t)system.f_type) == MOUNT_LOCAL ? 0 : -ENOTSUP;
}

// Whether a line of mountinfo is an overlay's, and its layers are local. A layer that is an overlay counts as not
// local.
static bool has_local_layers(char *line)
{
    char *options = strstr(line, " - overlay ");
    options = options ? strchr(options + strlen(" - overlay "), ' ') : NULL;
    line[strcspn(line, "\n")] = '\0';
    return options && mount_layers__each(options + 1, check_layer, NULL) == 0;
}

// Whether a line of mountinfo is of this mount, or of another one with the file system's device.
static bool is_mount_of(const char *line, const struct statx *status)
{
    uint64_t id;
    unsigned line_major, line_minor;
    return sscanf(line, "%" SCNu64 " %*d %u:%u", &id, &line_major, &line_minor) == 3 &&
           (id == status->stx_mnt_id || (line_major == status->stx_dev_major && line_minor == status->stx_dev_minor));
}

static bool is_local_overlay(const struct statx *status)
{
    bool found = false;
    _cleanup_file_ FILE *stream = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ char *line = NULL;
    size_t capacity = 0;
    while (!found && stream && getline(&line, &capacity, stream) > 0)
        found = is_mount_of(line, status);
    return found && has_local_layers(line);
}

// A file of an overlay has the device of its layer, or one of its own: its mount tells which overlay that is.
static bool is_local(int fd, uint32_t type)
{
    struct statx status;
    enum mount_nature nature = mount_nature__of_magic(type);
    return nature == MOUNT_LOCAL ||
           (nature == MOUNT_OVERLAY && statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &status) == 0 &&
            is_local_overlay(&status));
}

static int check_overlay(uint64_t mount_id)
{
    const struct statx status = {.stx_mnt_id = mount_id, .stx_dev_major = UINT32_MAX};
    return is_local_overlay(&status) ? 0 : -EXDEV;
}

// The file itself where its file system is local, else a copy. A memfd that passes for a copy is copied.
static int copy_if_far(const struct opening *opening, uint32_t type, file_copy_fn *progress, void *context,
                       struct opened *opened)
{
    int copy = -1;
    if (is_local(opened->fd, type) && !file_copy__is(opened->fd))
        return 0;
    int err = opening->flags & OPENING_NO_COPY ? -EXDEV : file_copy__make(opened->fd, progress, context, &copy);
    close(opened->fd);
    opened->fd = copy;
    return err;
}

int opening__run_apart(const struct opening *opening, int folder_fd, file_copy_fn *progress, void *context,
                       struct opened *ret_opened)
{
    _cleanup_(opened__close) struct opened opened = OPENED_NONE;
    uint32_t type = 0;
    if (opening->kind == OPENING_IS_LOCAL)
        return check_overlay(opening->mount_id);
    int err = find_place(opening, folder_fd, &opened.place_fd);
    if (!err && !is_folder(opening))
        err = open_file(&opened, &type);
    progress(context);
    if (!err && opened.fd >= 0)
        err = copy_if_far(opening, type, progress, context, &opened);
    if (err)
        return err;
    *ret_opened = opened;
    opened = OPENED_NONE;
    return 0;
}
