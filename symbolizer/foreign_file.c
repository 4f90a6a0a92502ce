#include "symbolizer/foreign_file.h"

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
#include "store/base/live_thread.h"

int foreign_file__open_root(pid_t pid, int *ret_fd)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/root", live_thread__of(pid));
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

// Filesystems whose files are made by the kernel when they are read: reading may block, take what others wait for
// (/proc/kmsg, trace_pipe), or tell what only root may know. statfs(2)'s numbers.
static bool is_of_the_kernel(int fd)
{
    static const uint32_t magics[] = {PROC_SUPER_MAGIC,     SYSFS_MAGIC,    TRACEFS_MAGIC,      DEBUGFS_MAGIC,
                                      SECURITYFS_MAGIC,     BPF_FS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                      PSTOREFS_MAGIC,       EFIVARFS_MAGIC, SELINUX_MAGIC,      SMACK_MAGIC,
                                      BINDERFS_SUPER_MAGIC, 0x62656570 /* configfs, which magic.h lacks */};
    struct statfs filesystem;
    if (fstatfs(fd, &filesystem) != 0)
        return true;
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if ((uint32_t)filesystem.f_type == magics[i])
            return true;
    return false;
}

// First as a place only (O_PATH), for to open a device or a FIFO is already to touch it.
static int open_regular(int folder_fd, const char *path, uint64_t flags, uint64_t resolve, int *ret_fd)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = resolve};
    _cleanup_fd_ int place = (int)syscall(SYS_openat2, folder_fd < 0 ? AT_FDCWD : folder_fd, path, &how, sizeof(how));
    struct stat status;
    char again[64];
    if (place < 0 || fstat(place, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || is_of_the_kernel(place))
        return -EINVAL;
    snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
    int fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

int foreign_file__open(int root_fd, const char *path, int *ret_fd)
{
    return open_regular(root_fd, path, 0, root_fd >= 0 ? RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS : 0, ret_fd);
}

int foreign_file__open_in(int folder_fd, const char *name, int *ret_fd)
{
    return open_regular(folder_fd, name, O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, ret_fd);
}

int foreign_file__open_folder(int root_fd, const char *path, int *ret_fd)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

int foreign_file__open_mapping(pid_t pid, uint64_t start, uint64_t end, int *ret_fd)
{
    char link[96];
    snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, live_thread__of(pid), start, end);
    return foreign_file__open(-1, link, ret_fd);
}
