#include "symbolizer/foreign_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"

int foreign_file__open_root(pid_t pid, int *ret_fd)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

// First as a place only (O_PATH), for to open a device or a FIFO is already to touch it.
int foreign_file__open(int root_fd, const char *path, int *ret_fd)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC};
    if (root_fd >= 0)
        how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    _cleanup_fd_ int place = (int)syscall(SYS_openat2, root_fd < 0 ? AT_FDCWD : root_fd, path, &how, sizeof(how));
    struct stat status;
    char again[64];
    if (place < 0 || fstat(place, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
    int fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

int foreign_file__open_mapping(pid_t pid, uint64_t start, uint64_t end, int *ret_fd)
{
    char link[96];
    snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, start, end);
    return foreign_file__open(-1, link, ret_fd);
}

pid_t foreign_file__inner_pid(pid_t pid)
{
    char path[64], line[256];
    pid_t inner = pid;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    _cleanup_file_ FILE *status = fopen(path, "re");
    while (status && fgets(line, sizeof(line), status)) {
        if (strncmp(line, "NSpid:", 6) != 0)
            continue;
        const char *last = strrchr(line, '\t'); // "NSpid:\tOUTER\tINNER"
        long value = last ? strtol(last + 1, NULL, 10) : 0;
        if (value > 0)
            inner = (pid_t)value;
        break;
    }
    return inner;
}
