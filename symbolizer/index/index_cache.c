#include "symbolizer/index/index_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SUFFIX      ".names"
#define WRITE_BYTES (1u << 20)
#define NAME_BYTES  96 // 40 digits, a dash, 16 digits, a dash, a number, the suffix

struct index_cache {
    int folder;
    uint64_t bytes_max;
    uint64_t bytes;
};

static void name_of(const struct index_cache_key *key, unsigned number, char name[NAME_BYTES])
{
    for (size_t i = 0; i < sizeof(key->build_id); i++)
        snprintf(name + 2 * i, 3, "%02x", key->build_id[i]);
    snprintf(name + 40, NAME_BYTES - 40, "-%016" PRIx64 "-%u" SUFFIX, key->digest, number);
}

static bool is_trusted(const struct stat *status)
{
    return (status->st_uid == geteuid() || status->st_uid == 0) && !(status->st_mode & (S_IWGRP | S_IWOTH));
}

typedef void entry_fn(const char *name, const struct stat *status, void *context);

static void each_entry(const struct index_cache *cache, entry_fn *take, void *context)
{
    int fd = openat(cache->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        fd__close(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(stream));) {
        struct stat status;
        size_t length = strlen(entry->d_name);
        if (length > strlen(SUFFIX) && strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0 &&
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

int index_cache__open(const char *folder, uint64_t bytes_max, struct fault *fault, struct index_cache **ret_cache)
{
    struct stat status;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fault__set(fault, -errno, "cannot make the folder of names '%s': %s", folder, strerror(errno));
    _cleanup_fd_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return fault__set(fault, -errno, "cannot open the folder of names '%s': %s", folder, strerror(errno));
    if (!is_trusted(&status))
        return fault__set(fault, -EPERM,
                          "cannot use the folder of names '%s': others may write into it; give another one", folder);
    struct index_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return fault__set(fault, -ENOMEM, "out of memory");
    cache->folder = take_fd(&fd);
    cache->bytes_max = bytes_max ? bytes_max : LIMIT_INDEX_CACHE_BYTES;
    each_entry(cache, add_size, &cache->bytes);
    *ret_cache = cache;
    return 0;
}

void index_cache__free(struct index_cache *cache)
{
    if (!cache)
        return;
    close(cache->folder);
    free(cache);
}

static int map_file(int fd, void **ret_bytes, size_t *ret_length)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || !is_trusted(&status) || status.st_size <= 0 ||
        (uint64_t)status.st_size > LIMIT_INDEX_BYTES)
        return -EBADMSG;
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    *ret_bytes = bytes;
    *ret_length = (size_t)status.st_size;
    return 0;
}

int index_cache__load(struct index_cache *cache, const struct index_cache_key *key, unsigned number, void **ret_bytes,
                      size_t *ret_length, struct index *ret_index)
{
    char name[NAME_BYTES];
    name_of(key, number, name);
    _cleanup_fd_ int fd = openat(cache->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = map_file(fd, ret_bytes, ret_length);
    if (!err) {
        err = index__check(*ret_bytes, *ret_length, INDEX_CHECKSUM | INDEX_MAPPED, ret_index);
        if (!err && memcmp(ret_index->header->build_id, key->build_id, sizeof(key->build_id)) != 0)
            err = -EBADMSG;
        if (err)
            munmap(*ret_bytes, *ret_length);
    }
    if (err) {
        unlinkat(cache->folder, name, 0);
        return -EBADMSG;
    }
    struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    futimens(fd, now); // used now; a reader who may not say so changes nothing
    return 0;
}

struct oldest {
    char name[NAME_BYTES];
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
    if (!older || strlen(name) >= NAME_BYTES || strcmp(name, oldest->keep) == 0)
        return;
    snprintf(oldest->name, sizeof(oldest->name), "%s", name);
    oldest->used_at = status->st_mtim;
    oldest->bytes = (uint64_t)status->st_size;
}

// Others may have written and removed meanwhile: the folder is counted anew before anything goes.
static void shrink(struct index_cache *cache, const char *keep)
{
    if (cache->bytes <= cache->bytes_max)
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

// Written bit by bit, each let go again: to save a large index does not make the process as large.
static int write_all(int fd, const uint8_t *bytes, size_t length, bool is_mapped)
{
    const uint8_t *written = bytes;
    while (length > 0) {
        ssize_t wrote = write(fd, bytes, length < WRITE_BYTES ? length : WRITE_BYTES);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return wrote < 0 ? -errno : -EIO;
        bytes += wrote;
        length -= (size_t)wrote;
        index__forget(is_mapped, written, bytes);
        written = bytes;
    }
    return 0;
}

int index_cache__save(struct index_cache *cache, const struct index_cache_key *key, unsigned number, const void *bytes,
                      size_t length, bool is_mapped)
{
    char name[NAME_BYTES], aside[NAME_BYTES];
    name_of(key, number, name);
    snprintf(aside, sizeof(aside), ".new-%d", gettid()); // several threads may have the folder open
    if (length > cache->bytes_max)
        return -EFBIG;
    _cleanup_fd_ int fd = openat(cache->folder, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int err = write_all(fd, bytes, length, is_mapped);
    if (!err && renameat(cache->folder, aside, cache->folder, name) != 0)
        err = -errno;
    if (err) {
        unlinkat(cache->folder, aside, 0);
        return err;
    }
    cache->bytes += length;
    shrink(cache, name);
    return 0;
}

void index_cache__remove(struct index_cache *cache, const struct index_cache_key *key, unsigned number)
{
    char name[NAME_BYTES];
    name_of(key, number, name);
    unlinkat(cache->folder, name, 0);
}
