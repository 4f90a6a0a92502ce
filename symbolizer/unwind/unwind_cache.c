#include "symbolizer/unwind/unwind_cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "store/base/hash.h"
#include "store/base/limits.h"
#include "store/system/disk_cache.h"
#include "store/system/file_bytes.h"

// Raised whenever the shape of a table changes, or what an ELF is compiled to.
#define VERSION 13

#define ROOM_UNIT_BYTES ((size_t)2 << 20) // of huge pages

#define SUFFIX         ".rows"
#define BUILD_ID_BYTES 64 // longest that is named; linkers write 8 to 20
#define NAME_BYTES     (2 * BUILD_ID_BYTES + sizeof(SUFFIX))

struct unwind_cache_header {
    char magic[8];
    uint32_t version;
    uint32_t rule_count;
    uint64_t word_count;
    struct wire_guest guest;
    uint64_t checksum; // of all that follows, and the guest
};

static const struct disk_cache_kind kind = {.holds = "unwind rows", .suffix = SUFFIX, .mode = 0600};

struct unwind_cache {
    struct disk_cache *disk;
    // For the table that was loaded last: one piece, since the first touch of a page costs more than its read.
    void *room;
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

int unwind_cache__open(const char *directory, uint64_t bytes_max, struct fault *fault, struct unwind_cache **ret_cache)
{
    _cleanup_(unwind_cache__freep) struct unwind_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = disk_cache__open(directory, &kind, bytes_max ? bytes_max : LIMIT_UNWIND_CACHE_BYTES, fault, &cache->disk);
    if (!err)
        *ret_cache = take_pointer(cache);
    return err;
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
    disk_cache__free(cache->disk);
    free(cache);
}

static uint64_t checksum_of(const struct unwind_table *table)
{
    uint64_t sum = hash__pair(table->word_count, hash__bytes(&table->guest, sizeof(table->guest)));
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

static int read_table(struct unwind_cache *cache, int fd, size_t bytes, struct unwind_table **ret_table)
{
    struct unwind_cache_header header;
    int err = file_bytes__read(fd, 0, &header, sizeof(header));
    if (err)
        return err;
    if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.version != VERSION ||
        header.rule_count > UNWIND_RULES_MAX || header.word_count > UNWIND_WORDS_MAX ||
        bytes != sizeof(header) + 8ull * header.rule_count + 4 * header.word_count)
        return -EBADMSG;
    size_t rule_bytes = 8 * (size_t)header.rule_count, word_bytes = 4 * (size_t)header.word_count;
    _cleanup_(unwind_table__freep) struct unwind_table *table = calloc(1, sizeof(*table));
    if (!table || make_room(cache, rule_bytes + word_bytes) != 0)
        return -ENOMEM;
    *table = (struct unwind_table){.rules = cache->room,
                                   .rule_count = header.rule_count,
                                   .words = (uint32_t *)((uint8_t *)cache->room + rule_bytes),
                                   .word_count = header.word_count,
                                   .guest = header.guest,
                                   .is_borrowed = true};
    err = file_bytes__read(fd, sizeof(header), cache->room, rule_bytes + word_bytes);
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
    _cleanup_fd_ int fd = -1;
    size_t bytes;
    err = disk_cache__read(cache->disk, name, &fd, &bytes);
    if (err)
        return err;
    err = read_table(cache, fd, bytes, ret_table);
    if (err == -EBADMSG)
        disk_cache__remove(cache->disk, name);
    else if (!err)
        disk_cache__used(fd);
    return err;
}

static int write_table(int fd, const void *context)
{
    const struct unwind_table *table = context;
    struct unwind_cache_header header = {.version = VERSION,
                                         .rule_count = (uint32_t)table->rule_count,
                                         .word_count = table->word_count,
                                         .guest = table->guest,
                                         .checksum = checksum_of(table)};
    memcpy(header.magic, magic, sizeof(magic));
    int err = file_bytes__write(fd, &header, sizeof(header));
    if (!err)
        err = file_bytes__write(fd, table->rules, 8 * table->rule_count);
    if (!err)
        err = file_bytes__write(fd, table->words, 4 * table->word_count);
    return err;
}

int unwind_cache__save(struct unwind_cache *cache, const uint8_t *build_id, size_t build_id_bytes,
                       const struct unwind_table *table)
{
    char name[NAME_BYTES];
    int err = name_of(build_id, build_id_bytes, name);
    return err ? err : disk_cache__save(cache->disk, name, write_table, table);
}
