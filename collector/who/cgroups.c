#include "collector/who/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"

// The type of a kernfs file handle (include/linux/exportfs.h, FILEID_KERNFS): the handle is the 64-bit id.
enum { FILEID_KERNFS_TYPE = 0xfe };

// kernfs gives the root of a hierarchy this inode.
enum { ROOT_INODE = 1 };

static bool is_whole(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_ino == ROOT_INODE;
}

// Where cgroup2 is mounted, the whole of it where that can be had: a container sees its own part, and may have all of
// the host's elsewhere. "" where it is not.
static const char *mount_point(void)
{
    static char found[PATH_MAX];
    static bool searched;
    bool has_whole = false;
    char line[PATH_MAX + 512];
    _cleanup_file_ FILE *file = searched ? NULL : fopen("/proc/self/mountinfo", "re");
    while (file && !has_whole && fgets(line, sizeof(line), file)) {
        const char *type = strstr(line, " - ");
        if (!type || strncmp(type, " - cgroup2 ", 11) != 0)
            continue;
        char root[PATH_MAX], path[PATH_MAX]; // "ID PARENT MAJ:MIN ROOT MOUNTPOINT ..."
        if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, path) != 2)
            continue;
        has_whole = is_whole(path);
        if (!*found || has_whole)
            snprintf(found, sizeof(found), "%s", path);
    }
    searched = true;
    return found;
}

static int id_of(const char *path, uint64_t *ret_id)
{
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } buffer = {.handle.handle_bytes = MAX_HANDLE_SZ};
    int mount_id;
    if (name_to_handle_at(AT_FDCWD, path, &buffer.handle, &mount_id, 0) != 0)
        return -errno;
    if (buffer.handle.handle_bytes != sizeof(uint64_t))
        return -EINVAL;
    memcpy(ret_id, buffer.handle.f_handle, sizeof(uint64_t));
    return 0;
}

int cgroup__find(const char *path, uint64_t *ret_id, uint32_t *ret_level)
{
    const char *mount = mount_point();
    size_t mount_length = strlen(mount);
    if (!*mount)
        return -ENODEV;
    bool whole = strncmp(path, mount, mount_length) == 0 && (path[mount_length] == '/' || !path[mount_length]);
    const char *below = whole ? path + mount_length : path;
    char full[PATH_MAX];
    if ((size_t)snprintf(full, sizeof(full), "%s/%s", mount, below) >= sizeof(full))
        return -ENAMETOOLONG;
    int err = id_of(full, ret_id);
    if (err)
        return err;
    *ret_level = 0;
    for (const char *at = below; *at; at++)
        *ret_level += *at != '/' && (at == below || at[-1] == '/');
    return 0;
}

int cgroup__path(uint64_t id, char *ret_path, size_t bytes)
{
    const char *mount = mount_point();
    _cleanup_fd_ int mount_fd = *mount ? open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (mount_fd < 0)
        return *mount ? -errno : -ENODEV;
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
    } buffer = {.handle = {.handle_bytes = sizeof(uint64_t), .handle_type = FILEID_KERNFS_TYPE}};
    memcpy(buffer.handle.f_handle, &id, sizeof(id));
    _cleanup_fd_ int fd = open_by_handle_at(mount_fd, &buffer.handle, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char link[64], full[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, full, sizeof(full) - 1);
    if (length < 0)
        return -errno;
    full[length] = '\0';
    size_t mount_length = strlen(mount);
    if (strncmp(full, mount, mount_length) != 0)
        return -ESTALE;
    snprintf(ret_path, bytes, "%s", full[mount_length] ? full + mount_length : "/");
    return 0;
}
