#include "store/system/disk_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

struct disk_cache {
    int folder;
    const struct disk_cache_kind *kind;
    uint64_t bytes_max; // 0: no bound
    uint64_t bytes;
};

static bool is_trusted(const struct stat *status)
{
    return (status->st_uid == geteuid() || status->st_uid == 0) && !(status->st_mode & (S_IWGRP | S_IWOTH));
}

static bool is_entry(const struct disk_cache *cache, const char *name)
{
    size_t length = strlen(name), suffix = strlen(cache->kind->suffix);
    return length > suffix && name[0] != '.' && strcmp(name + length - suffix, cache->kind->suffix) == 0;
}

typedef void entry_fn(const char *name, const struct stat *status, void *context);

static void each_entry(const struct disk_cache *cache, entry_fn *take, void *context)
{
    int fd = openat(cache->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        fd__close(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(stream));) {
        struct stat status;
        if (is_entry(cache, entry->d_name) &&
            fstatat(cache->folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
            take(entry->d_name, &status, context);
    }
    closedir(stream);
}

static void add_size(const char *name, const struct stat *status, void *context)
{
    (void)name;
    *(uint64_t *)context += (uint64_t)status->st_size;
}

int disk_cache__open(const char *folder, const struct disk_cache_kind *kind, uint64_t bytes_max, struct fault *fault,
                     struct disk_cache **ret_cache)
{
    struct stat status;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fault__set(fault, -errno, "cannot make the folder of %s '%s': %s", kind->holds, folder, strerror(errno));
    _cleanup_fd_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return fault__set(fault, -errno, "cannot open the folder of %s '%s': %s", kind->holds, folder, strerror(errno));
    if (!is_trusted(&status))
        return fault__set(fault, -EPERM, "cannot use the folder of %s '%s': others may write into it; give another one",
                          kind->holds, folder);
    struct disk_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return fault__set(fault, -ENOMEM, "out of memory");
    *cache = (struct disk_cache){.folder = take_fd(&fd), .kind = kind, .bytes_max = bytes_max};
    if (bytes_max)
        each_entry(cache, add_size, &cache->bytes);
    *ret_cache = cache;
    return 0;
}

void disk_cache__free(struct disk_cache *cache)
{
    if (!cache)
        return;
    close(cache->folder);
    free(cache);
}

void disk_cache__remove(struct disk_cache *cache, const char *name)
{
    unlinkat(cache->folder, name, 0);
}

int disk_cache__read(struct disk_cache *cache, const char *name, int *ret_fd, size_t *ret_bytes)
{
    struct stat status;
    _cleanup_fd_ int fd = openat(cache->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || !is_trusted(&status)) {
        disk_cache__remove(cache, name);
        return -EBADMSG;
    }
    *ret_fd = take_fd(&fd);
    *ret_bytes = (size_t)status.st_size;
    return 0;
}

void disk_cache__used(int fd)
{
    struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    futimens(fd, now); // a reader who may not say so changes nothing
}

struct oldest {
    char name[NAME_MAX + 1];
    struct timespec used_at;
    uint64_t bytes;
    const char *keep;
};

static void take_older(const char *name, const struct stat *status, void *context)
{
    struct oldest *oldest = context;
    bool older =
        !oldest->name[0] || status->st_mtim.tv_sec < oldest->used_at.tv_sec ||
        (status->st_mtim.tv_sec == oldest->used_at.tv_sec && status->st_mtim.tv_nsec < oldest->used_at.tv_nsec);
    if (!older || strcmp(name, oldest->keep) == 0)
        return;
    snprintf(oldest->name, sizeof(oldest->name), "%s", name);
    oldest->used_at = status->st_mtim;
    oldest->bytes = (uint64_t)status->st_size;
}

// Others may have written and removed meanwhile: the folder is counted anew before anything goes.
static void shrink(struct disk_cache *cache, const char *keep)
{
    if (!cache->bytes_max || cache->bytes <= cache->bytes_max)
        return;
    cache->bytes = 0;
    each_entry(cache, add_size, &cache->bytes);
    while (cache->bytes > cache->bytes_max) {
        struct oldest oldest = {.keep = keep};
        each_entry(cache, take_older, &oldest);
        if (!oldest.name[0] || unlinkat(cache->folder, oldest.name, 0) != 0)
            return;
        cache->bytes -= oldest.bytes < cache->bytes ? oldest.bytes : cache->bytes;
    }
}

int disk_cache__save(struct disk_cache *cache, const char *name, disk_cache_write_fn *write, const void *context)
{
    char aside[32];
    struct stat status;
    snprintf(aside, sizeof(aside), ".new-%d", gettid()); // several threads may have the folder open
    _cleanup_fd_ int fd =
        openat(cache->folder, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, cache->kind->mode);
    if (fd < 0)
        return -errno;
    int err = write(fd, context);
    if (!err && (fstat(fd, &status) != 0 || renameat(cache->folder, aside, cache->folder, name) != 0))
        err = -errno;
    if (err) {
        unlinkat(cache->folder, aside, 0);
        return err;
    }
    cache->bytes += (uint64_t)status.st_size;
    shrink(cache, name);
    return 0;
}
