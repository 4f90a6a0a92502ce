#include "symbolizer/opening/local_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
    uint64_t table_number; // how many were read
} mounts = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static int read_all(int fd, struct buf *text)
{
    int err = buf__append_file(text, fd, SIZE_MAX);
    buf__append_byte(text, 0);
    return err ? err : text->failed ? -ENOMEM : 0;
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
    mounts.table_number++;
    if (mounts.fd < 0)
        mounts.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (mounts.fd >= 0 && lseek(mounts.fd, 0, SEEK_SET) == 0 && read_all(mounts.fd, &text) == 0)
        mount_table__parse((char *)text.data, &mounts.table);
}

struct place {
    uint64_t mount_id; // 0: not known
    uint32_t device;   // 0: not known
};

// By its mount; for one of another namespace, by a mount of ours that has its file system.
static struct mount *find(const struct place *place)
{
    struct mount *mount = place->mount_id ? mount_table__find_id(&mounts.table, place->mount_id) : NULL;
    return mount || !place->device ? mount : mount_table__find(&mounts.table, place->device);
}

// An overlay is as local as its layers. The opener looks at these, once for each overlay until mounts change. The
// opener may wait for them, so the lock is not held meanwhile, and without an answer nothing is remembered.
static enum mount_nature judge_overlay(const struct mount *mount, const char *point)
{
    struct opening opening = {.kind = OPENING_IS_LOCAL, .device = mount->device, .mount_id = mount->id};
    struct opened opened = OPENED_NONE;
    snprintf(opening.path, sizeof(opening.path), "%s", point);
    int err = opener__ask(&opening, -1, &opened);
    opened__close(&opened);
    return !err ? MOUNT_LOCAL : err == -EXDEV ? MOUNT_MAY_WAIT : MOUNT_OVERLAY;
}

static void remember(uint64_t table_number, uint64_t mount_id, enum mount_nature nature)
{
    pthread_mutex_lock(&mounts.lock);
    struct mount *mount = mounts.table_number == table_number ? mount_table__find_id(&mounts.table, mount_id) : NULL;
    if (mount)
        mount->nature = nature;
    pthread_mutex_unlock(&mounts.lock);
}

static bool is_local(const struct place *place)
{
    struct mount copy = {.nature = MOUNT_UNKNOWN};
    char point[PATH_MAX] = "";
    pthread_mutex_lock(&mounts.lock);
    refresh();
    uint64_t table_number = mounts.table_number;
    const struct mount *mount = find(place);
    if (mount) {
        copy = *mount;
        snprintf(point, sizeof(point), "%s", mount->point);
    }
    pthread_mutex_unlock(&mounts.lock);
    if (copy.nature == MOUNT_OVERLAY)
        remember(table_number, copy.id, copy.nature = judge_overlay(&copy, point));
    return copy.nature == MOUNT_LOCAL;
}

bool local_mounts__has(uint32_t device)
{
    return is_local(&(struct place){.device = device});
}

// AT_STATX_DONT_SYNC: the kernel answers by itself, and sends no request to a server.
static bool is_local_place(int fd, const char *path)
{
    struct statx status;
    int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);
    if (statx(fd, path, flags, STATX_TYPE | STATX_MNT_ID, &status) != 0)
        return false;
    return is_local(&(struct place){.mount_id = status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0,
                                    .device = status.stx_dev_major << 20 | status.stx_dev_minor});
}

bool local_mounts__has_place(int place_fd)
{
    return is_local_place(place_fd, "");
}

bool local_mounts__may_walk(int folder_fd, const char *path)
{
    bool is_absolute = folder_fd < 0 && path[0] == '/';
    bool has = is_local_place(folder_fd < 0 ? AT_FDCWD : folder_fd, is_absolute ? "/" : "");
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
