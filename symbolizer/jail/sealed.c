#include "symbolizer/jail/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "store/base/cleanup.h"
#include "store/system/file_bytes.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int sealed__make(const char *name, const void *bytes, size_t length_bytes, int *ret_fd)
{
    _cleanup_fd_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    int err = file_bytes__write(fd, bytes, length_bytes);
    if (err)
        return err;
    if (fcntl(fd, F_ADD_SEALS, SEALS) != 0)
        return -errno;
    *ret_fd = take_fd(&fd);
    return 0;
}

int sealed__map(int fd, size_t limit_bytes, void **ret_bytes, size_t *ret_length)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS)
        return -EPERM;
    // Not glibc's fstat, which may be newfstatat, whose paths a filter cannot see.
    if (syscall(SYS_fstat, fd, &status) != 0)
        return -errno;
    if (status.st_size < 0 || (uint64_t)status.st_size > limit_bytes)
        return -E2BIG;
    *ret_bytes = NULL;
    *ret_length = (size_t)status.st_size;
    if (status.st_size == 0)
        return 0;
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    *ret_bytes = bytes;
    return 0;
}
