#include "symbolizer/opening/local_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "symbolizer/opening/mount_table.h"
#include "symbolizer/opening/opener.h"

static struct {
    pthread_mutex_t lock;
    int fd; // of mountinfo; -1: not opened yet
    struct mount_table table;
} mounts = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static int read_all(int fd, struct buf *text)
{
    char block[16384];
    for (;;) {
        ssize_t got = read(fd, block, sizeof(block));
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            break;
        if (got > 0)
            buf__append(text, block, (size_t)got);
    }
    buf__append_byte(text, 0);
    return text->failed ? -ENOMEM : 0;
}

static bool has_changed(void)
{
    struct pollfd change = {.fd = mounts.fd, .events = POLLPRI};
    return poll(&change, 1, 0) > 0;
}

// On failure the table is empty: no file system counts as local, and the opener opens all files.
static void refresh(void)
{
    _cleanup_(buf__release) struct buf text = {0};
    if (mounts.fd >= 0 && !has_changed())
        return;
    mount_table__release(&mounts.table);
    if (mounts.fd < 0)
        mounts.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (mounts.fd >= 0 && lseek(mounts.fd, 0, SEEK_SET) == 0 && read_all(mounts.fd, &text) == 0)
        mount_table__parse((char *)text.data, &mounts.table);
}

// An overlay is as local as its layers. The opener looks at these (OPENING_IS_LOCAL), once for each overlay until
// mounts change.
static bool is_local(struct mount *mount)
{
    if (mount->nature != MOUNT_OVERLAY)
        return mount->nature == MOUNT_LOCAL;
    struct opening opening = {.kind = OPENING_IS_LOCAL, .device = mount->device};
    struct opened opened = OPENED_NONE;
    snprintf(opening.path, sizeof(opening.path), "%s", mount->point);
    mount->nature = opener__ask(&opening, -1, &opened) == 0 ? MOUNT_LOCAL : MOUNT_MAY_WAIT;
    opened__close(&opened);
    return mount->nature == MOUNT_LOCAL;
}

bool local_mounts__has(uint32_t device)
{
    pthread_mutex_lock(&mounts.lock);
    refresh();
    struct mount *mount = device ? mount_table__find(&mounts.table, device) : NULL;
    bool has = mount && is_local(mount);
    pthread_mutex_unlock(&mounts.lock);
    return has;
}

// AT_STATX_DONT_SYNC: the kernel answers by itself, and sends no request to a server.
static uint32_t device_of_folder(int fd, const char *path)
{
    struct statx status;
    int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);
    return statx(fd, path, flags, STATX_TYPE, &status) == 0 ? status.stx_dev_major << 20 | status.stx_dev_minor : 0;
}

bool local_mounts__may_walk(int folder_fd, const char *path)
{
    bool is_absolute = folder_fd < 0 && path[0] == '/';
    uint32_t device = device_of_folder(folder_fd < 0 ? AT_FDCWD : folder_fd, is_absolute ? "/" : "");
    bool has = local_mounts__has(device);
    pthread_mutex_lock(&mounts.lock);
    has = has && !mounts.table.has_autofs;
    pthread_mutex_unlock(&mounts.lock);
    return has;
}

uint32_t local_mounts__device_of(const char *path)
{
    pthread_mutex_lock(&mounts.lock);
    refresh();
    const struct mount *mount = path[0] == '/' ? mount_table__find_path(&mounts.table, path) : NULL;
    uint32_t device = mount && mount->nature != MOUNT_LOCAL ? mount->device : 0;
    pthread_mutex_unlock(&mounts.lock);
    return device;
}
