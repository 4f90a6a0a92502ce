#include "symbolizer/index/index_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "store/base/limits.h"
#include "store/system/disk_cache.h"
#include "store/system/file_bytes.h"

#define SUFFIX      ".names"
#define WRITE_BYTES (1u << 20)
#define NAME_BYTES  96 // 40 digits, a dash, 16 digits, a dash, a number, the suffix

static const struct disk_cache_kind kind = {.holds = "names", .suffix = SUFFIX, .mode = 0644};

struct index_cache {
    struct disk_cache *disk;
    uint64_t bytes_max;
};

static void name_of(const struct index_cache_key *key, unsigned number, char name[NAME_BYTES])
{
    for (size_t i = 0; i < sizeof(key->build_id); i++)
        snprintf(name + 2 * i, 3, "%02x", key->build_id[i]);
    snprintf(name + 40, NAME_BYTES - 40, "-%016" PRIx64 "-%u" SUFFIX, key->digest, number);
}

int index_cache__open(const char *folder, uint64_t bytes_max, struct fault *fault, struct index_cache **ret_cache)
{
    _cleanup_(index_cache__freep) struct index_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return fault__set(fault, -ENOMEM, "out of memory");
    cache->bytes_max = bytes_max ? bytes_max : LIMIT_INDEX_CACHE_BYTES;
    int err = disk_cache__open(folder, &kind, cache->bytes_max, fault, &cache->disk);
    if (!err)
        *ret_cache = take_pointer(cache);
    return err;
}

void index_cache__free(struct index_cache *cache)
{
    if (!cache)
        return;
    disk_cache__free(cache->disk);
    free(cache);
}

static int map_index(int fd, size_t length, const struct index_cache_key *key, void **ret_bytes,
                     struct index *ret_index)
{
    if (length == 0 || length > LIMIT_INDEX_BYTES)
        return -EBADMSG;
    void *bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    int err = index__check(bytes, length, INDEX_CHECKSUM | INDEX_MAPPED, ret_index);
    if (!err && memcmp(ret_index->header->build_id, key->build_id, sizeof(key->build_id)) != 0)
        err = -EBADMSG;
    if (err)
        munmap(bytes, length);
    else
        *ret_bytes = bytes;
    return err;
}

int index_cache__load(struct index_cache *cache, const struct index_cache_key *key, unsigned number, void **ret_bytes,
                      size_t *ret_length, struct index *ret_index)
{
    char name[NAME_BYTES];
    name_of(key, number, name);
    _cleanup_fd_ int fd = -1;
    int err = disk_cache__read(cache->disk, name, &fd, ret_length);
    if (err)
        return err;
    if (map_index(fd, *ret_length, key, ret_bytes, ret_index) != 0) {
        disk_cache__remove(cache->disk, name);
        return -EBADMSG;
    }
    disk_cache__used(fd);
    return 0;
}

struct piece {
    const uint8_t *bytes;
    size_t length;
    bool is_mapped;
};

// Written bit by bit, each let go again: to save a large index does not make the process as large.
static int write_piece(int fd, const void *context)
{
    const struct piece *piece = context;
    int err = 0;
    for (size_t at = 0; at < piece->length && !err; at += WRITE_BYTES) {
        size_t left = piece->length - at, bytes = left < WRITE_BYTES ? left : WRITE_BYTES;
        err = file_bytes__write(fd, piece->bytes + at, bytes);
        index__forget(piece->is_mapped, piece->bytes + at, piece->bytes + at + bytes);
    }
    return err;
}

int index_cache__save(struct index_cache *cache, const struct index_cache_key *key, unsigned number, const void *bytes,
                      size_t length, bool is_mapped)
{
    char name[NAME_BYTES];
    const struct piece piece = {.bytes = bytes, .length = length, .is_mapped = is_mapped};
    name_of(key, number, name);
    return length > cache->bytes_max ? -EFBIG : disk_cache__save(cache->disk, name, write_piece, &piece);
}

void index_cache__remove(struct index_cache *cache, const struct index_cache_key *key, unsigned number)
{
    char name[NAME_BYTES];
    name_of(key, number, name);
    disk_cache__remove(cache->disk, name);
}
