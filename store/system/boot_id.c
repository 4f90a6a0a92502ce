#include "store/system/boot_id.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"

int boot_id__hash(uint64_t *ret_hash)
{
    char id[64];
    _cleanup_fd_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, id, sizeof(id));
    if (bytes <= 0)
        return -ENOENT;
    *ret_hash = hash__bytes(id, (size_t)bytes);
    return 0;
}
