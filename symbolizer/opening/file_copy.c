#include "symbolizer/opening/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "store/system/file_bytes.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define NAME  "hearth-copy "

enum { BLOCK_BYTES = 256 << 10 };

static int copy_bytes(int from, int to, file_copy_fn *progress, void *context)
{
    static char block[BLOCK_BYTES]; // the opener has one thread
    for (uint64_t at = 0;;) {
        ssize_t got = pread(from, block, sizeof(block), (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        if ((at += (uint64_t)got) > LIMIT_COPY_FILE_BYTES)
            return -EFBIG;
        int err = file_bytes__write(to, block, (size_t)got);
        if (err)
            return err;
        progress(context);
    }
}

int file_copy__make(int fd, file_copy_fn *progress, void *context, int *ret_fd)
{
    struct stat status;
    struct statfs system;
    char name[200];
    if (fstat(fd, &status) != 0 || fstatfs(fd, &system) != 0)
        return -errno;
    if ((uint64_t)status.st_size > LIMIT_COPY_FILE_BYTES)
        return -EFBIG;
    snprintf(name, sizeof(name), NAME "%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %ld %u %u",
             (uint64_t)status.st_dev, (uint64_t)status.st_ino, (int64_t)status.st_size, (int64_t)status.st_ctim.tv_sec,
             status.st_ctim.tv_nsec, status.st_uid, (uint32_t)system.f_type);
    _cleanup_fd_ int copy = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0)
        return -errno;
    int err = copy_bytes(fd, copy, progress, context);
    if (!err && fcntl(copy, F_ADD_SEALS, SEALS) != 0)
        err = -errno;
    if (!err)
        *ret_fd = take_fd(&copy);
    return err;
}

// False: the memfd is not sealed, not our user's, or has another name.
static bool read_facts(int fd, struct stat *status, uint32_t *ret_type)
{
    char link[32], name[256];
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, status) != 0 || status->st_uid != geteuid())
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof(name) - 1);
    static const char head[] = "/memfd:" NAME;
    if (length < (ssize_t)sizeof(head) || strncmp(name, head, sizeof(head) - 1) != 0)
        return false;
    name[length] = '\0';
    uint64_t device, inode;
    int64_t bytes, changed_s;
    long changed_ns;
    uint32_t uid;
    if (sscanf(name + sizeof(head) - 1, "%" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64 " %ld %u %u", &device, &inode,
               &bytes, &changed_s, &changed_ns, &uid, ret_type) != 7)
        return false;
    status->st_dev = device;
    status->st_ino = inode;
    status->st_size = bytes;
    status->st_ctim = (struct timespec){.tv_sec = changed_s, .tv_nsec = changed_ns};
    status->st_uid = uid;
    return true;
}

bool file_copy__is(int fd)
{
    struct stat status;
    uint32_t type;
    return read_facts(fd, &status, &type);
}

int file_copy__stat(int fd, struct stat *ret_status, uint32_t *ret_type)
{
    struct statfs system;
    if (read_facts(fd, ret_status, ret_type))
        return 0;
    if (fstat(fd, ret_status) != 0 || fstatfs(fd, &system) != 0)
        return -errno;
    *ret_type = (uint32_t)system.f_type;
    return 0;
}
