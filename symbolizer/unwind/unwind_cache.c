#include "symbolizer/unwind/unwind_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "store/base/hash.h"
#include "store/base/limits.h"

// Raised whenever the shape of a table changes, or what an ELF is compiled to.
#define VERSION 9

#define ROOM_UNIT_BYTES ((size_t)2 << 20) // of huge pages

#define SUFFIX         ".rows"
#define BUILD_ID_BYTES 64 // longest that is named; linkers write 8 to 20
#define NAME_BYTES     (2 * BUILD_ID_BYTES + sizeof(SUFFIX))

struct unwind_cache_header {
    char magic[8];
    uint32_t version;
    uint32_t rule_count;
    uint64_t word_count;
    uint64_t checksum; // of all that follows
};

struct unwind_cache {
    int directory;
    uint64_t bytes_max, bytes;
    void *
        room; // for the table that was loaded last: one piece, since the first touch of a page costs more than its read
    size_t room_bytes;
};

static const char magic[8] = "hearthUR";

static int name_of(const uint8_t *build_id, size_t bytes, char name[NAME_BYTES])
{
    if (bytes == 0 || bytes > BUILD_ID_BYTES)
        return -EINVAL;
    for (size_t i = 0; i < bytes; i++)
        snprintf(name + 2 * i, 3, "%02x", build_id[i]);
    memcpy(name + 2 * bytes, SUFFIX, sizeof(SUFFIX));
    return 0;
}

static bool is_entry(const char *name)
{
    size_t length = strlen(name);
    return length > strlen(SUFFIX) && name[0] != '.' && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

// Every file of the cache.
typedef void entry_fn(const char *name, const struct stat *status, void *context);
static int each_entry(int directory, entry_fn *take, void *context)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    for (struct dirent *entry; (entry = readdir(stream));) {
        struct stat status;
        if (is_entry(entry->d_name) && fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode))
            take(entry->d_name, &status, context);
    }
    closedir(stream);
    return 0;
}

static void add_size(const char *name, const struct stat *status, void *context)
{
    (void)name;
    *(uint64_t *)context += (uint64_t)status->st_size;
}

int unwind_cache__open(const char *directory, uint64_t bytes_max, struct fault *fault, struct unwind_cache **ret_cache)
{
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return fault__set(fault, -errno, "cannot make the directory of unwind rows '%s': %s", directory,
                          strerror(errno));
    _cleanup_fd_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fault__set(fault, -errno, "cannot open the directory of unwind rows '%s': %s", directory,
                          strerror(errno));
    struct unwind_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return -ENOMEM;
    cache->bytes_max = bytes_max ? bytes_max : LIMIT_UNWIND_CACHE_BYTES;
    cache->directory = take_fd(&fd);
    each_entry(cache->directory, add_size, &cache->bytes);
    *ret_cache = cache;
    return 0;
}

void unwind_cache__give_back(struct unwind_cache *cache)
{
    if (cache->room)
        munmap(cache->room, cache->room_bytes);
    cache->room = NULL;
    cache->room_bytes = 0;
}

static int make_room(struct unwind_cache *cache, size_t bytes)
{
    if (bytes <= cache->room_bytes)
        return 0;
    unwind_cache__give_back(cache);
    size_t rounded = (bytes + ROOM_UNIT_BYTES - 1) & ~(ROOM_UNIT_BYTES - 1);
    void *room = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return -errno;
    madvise(room, rounded, MADV_HUGEPAGE);
    cache->room = room;
    cache->room_bytes = rounded;
    return 0;
}

void unwind_cache__free(struct unwind_cache *cache)
{
    if (!cache)
        return;
    unwind_cache__give_back(cache);
    close(cache->directory);
    free(cache);
}

static int read_all(int fd, void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = read(fd, (uint8_t *)data + done, bytes - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EBADMSG;
        done += (size_t)got;
    }
    return 0;
}

static uint64_t checksum_of(const struct unwind_table *table)
{
    uint64_t sum = table->word_count;
    for (size_t i = 0; i < table->rule_count; i++) {
        uint64_t bits;
        memcpy(&bits, &table->rules[i], sizeof(bits));
        sum = hash__pair(sum, bits);
    }
    // Four sums side by side: each mixing waits for the one before it, and a table has megabytes.
    uint64_t sums[4] = {0, 1, 2, 3};
    size_t at = 0;
    for (; at + 8 <= table->word_count; at += 8)
        for (size_t lane = 0; lane < 4; lane++) {
            uint64_t bits;
            memcpy(&bits, &table->words[at + 2 * lane], sizeof(bits));
            sums[lane] = hash__mix(sums[lane] + bits);
        }
    for (; at < table->word_count; at++)
        sum = hash__mix(sum + table->words[at]);
    for (size_t lane = 0; lane < 4; lane++)
        sum = hash__pair(sum, sums[lane]);
    return sum;
}

static int read_table(struct unwind_cache *cache, int fd, struct unwind_table **ret_table)
{
    struct unwind_cache_header header;
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -errno;
    int err = read_all(fd, &header, sizeof(header));
    if (err)
        return err;
    if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.version != VERSION ||
        header.rule_count > UNWIND_RULES_MAX || header.word_count > UNWIND_WORDS_MAX ||
        (uint64_t)status.st_size != sizeof(header) + 8ull * header.rule_count + 4 * header.word_count)
        return -EBADMSG;
    size_t rule_bytes = 8 * (size_t)header.rule_count, word_bytes = 4 * (size_t)header.word_count;
    _cleanup_(unwind_table__freep) struct unwind_table *table = calloc(1, sizeof(*table));
    if (!table || make_room(cache, rule_bytes + word_bytes) != 0)
        return -ENOMEM;
    *table = (struct unwind_table){.rules = cache->room,
                                   .rule_count = header.rule_count,
                                   .words = (uint32_t *)((uint8_t *)cache->room + rule_bytes),
                                   .word_count = header.word_count,
                                   .is_borrowed = true};
    err = read_all(fd, cache->room, rule_bytes + word_bytes);
    if (err)
        return err;
    if (checksum_of(table) != header.checksum || unwind_table__check(table) != 0)
        return -EBADMSG;
    *ret_table = take_pointer(table);
    return 0;
}

int unwind_cache__load(struct unwind_cache *cache, const uint8_t *build_id, size_t build_id_bytes,
                       struct unwind_table **ret_table)
{
    char name[NAME_BYTES];
    int err = name_of(build_id, build_id_bytes, name);
    if (err)
        return err;
    _cleanup_fd_ int fd = openat(cache->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    err = read_table(cache, fd, ret_table);
    if (err == -EBADMSG)
        unlinkat(cache->directory, name, 0);
    else if (!err)
        futimens(fd, NULL); // used now: the last to be removed
    return err;
}

static int write_all(int fd, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t put = write(fd, (const uint8_t *)data + done, bytes - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        done += (size_t)put;
    }
    return 0;
}

static int write_table(int fd, const struct unwind_table *table)
{
    struct unwind_cache_header header = {.version = VERSION,
                                         .rule_count = (uint32_t)table->rule_count,
                                         .word_count = table->word_count,
                                         .checksum = checksum_of(table)};
    memcpy(header.magic, magic, sizeof(magic));
    int err = write_all(fd, &header, sizeof(header));
    if (!err)
        err = write_all(fd, table->rules, 8 * table->rule_count);
    if (!err)
        err = write_all(fd, table->words, 4 * table->word_count);
    return err;
}

struct oldest {
    char name[256];
    struct timespec used;
    uint64_t bytes;
};

static void find_oldest(const char *name, const struct stat *status, void *context)
{
    struct oldest *oldest = context;
    bool older = status->st_mtim.tv_sec < oldest->used.tv_sec ||
                 (status->st_mtim.tv_sec == oldest->used.tv_sec && status->st_mtim.tv_nsec < oldest->used.tv_nsec);
    if (oldest->name[0] && !older)
        return;
    snprintf(oldest->name, sizeof(oldest->name), "%s", name);
    oldest->used = status->st_mtim;
    oldest->bytes = (uint64_t)status->st_size;
}

static void keep_bound(struct unwind_cache *cache)
{
    while (cache->bytes > cache->bytes_max) {
        struct oldest oldest = {0};
        if (each_entry(cache->directory, find_oldest, &oldest) != 0 || !oldest.name[0] ||
            unlinkat(cache->directory, oldest.name, 0) != 0)
            return;
        cache->bytes -= oldest.bytes < cache->bytes ? oldest.bytes : cache->bytes;
    }
}

int unwind_cache__save(struct unwind_cache *cache, const uint8_t *build_id, size_t build_id_bytes,
                       const struct unwind_table *table)
{
    char name[NAME_BYTES], aside[64];
    int err = name_of(build_id, build_id_bytes, name);
    if (err)
        return err;
    snprintf(aside, sizeof(aside), ".new-%ld", (long)getpid());
    _cleanup_fd_ int fd = openat(cache->directory, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    err = write_table(fd, table);
    if (!err && renameat(cache->directory, aside, cache->directory, name) != 0)
        err = -errno;
    if (err) {
        unlinkat(cache->directory, aside, 0);
        return err;
    }
    cache->bytes += sizeof(struct unwind_cache_header) + 8 * table->rule_count + 4 * table->word_count;
    keep_bound(cache);
    return 0;
}
