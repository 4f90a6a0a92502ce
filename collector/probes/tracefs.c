#include "collector/probes/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>

#include "store/base/cleanup.h"

static int open_mounted(void)
{
    static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        _cleanup_fd_ int fd = open(roots[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && faccessat(fd, "events", R_OK, 0) == 0)
            return take_fd(&fd);
    }
    return -ENOENT;
}

static int mount_aside(void)
{
    _cleanup_fd_ int context = fsopen("tracefs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        return -errno;
    int fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

int tracefs__open(struct fault *fault, int *ret_fd)
{
    int fd = open_mounted();
    if (fd < 0)
        fd = mount_aside();
    if (fd < 0)
        return fault__set_code(fault, EXIT_CODE_LACKS, fd,
                               "cannot reach tracefs: %s; run as root, or mount -t tracefs tracefs /sys/kernel/tracing",
                               strerror(-fd));
    *ret_fd = fd;
    return 0;
}
