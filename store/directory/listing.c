#include "store/directory/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/directory/incidents.h"

static inline void cleanup__closedir(DIR *directory)
{
    closedir(directory);
}
DEFINE_CLEANUP(DIR *, cleanup__closedir);

void listing__release(struct listing *listing)
{
    free(listing->items);
    *listing = (struct listing){0};
}

static uint64_t bytes_at(int directory_fd, const char *name)
{
    struct stat status;
    bool is_file = fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
    return is_file ? (uint64_t)status.st_blocks * 512 : 0;
}

static int add(struct listing *listing, int directory_fd, const char *name)
{
    struct listed item = {.bytes = bytes_at(directory_fd, name)};
    char wal[DAY_FILE_NAME_BYTES + 8];
    listing->bytes += item.bytes;
    if (!day_file__parse(name, &item.file))
        return 0;
    if (RESIZE(listing->items, listing->count + 1) != 0)
        return -ENOMEM;
    day_file__name(&item.file, item.name);
    snprintf(wal, sizeof(wal), "%s-wal", item.name);
    item.bytes += bytes_at(directory_fd, wal);
    listing->items[listing->count++] = item;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct day_file *x = &((const struct listed *)a)->file, *y = &((const struct listed *)b)->file;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->tier != y->tier)
        return x->tier < y->tier ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

int listing__read(const char *path, struct fault *fault, struct listing *ret_listing)
{
    _cleanup_(listing__release) struct listing listing = {0};
    _cleanup_(cleanup__closedirp) DIR *directory = opendir(path);
    if (!directory)
        return fault__set(fault, -errno, "cannot read the directory '%s': %s", path, strerror(errno));
    int err = 0;
    for (struct dirent *entry; !err && (entry = readdir(directory));)
        err = add(&listing, dirfd(directory), entry->d_name);
    if (err)
        return fault__set(fault, err, "out of memory");
    listing.bytes += incidents__bytes(path);
    if (listing.count)
        qsort(listing.items, listing.count, sizeof(*listing.items), compare);
    *ret_listing = listing;
    listing = (struct listing){0};
    return 0;
}

static bool join(char path[PATH_MAX], const char *directory, const char *name, const char *suffix)
{
    return (size_t)snprintf(path, PATH_MAX, "%s/%s%s", directory, name, suffix) < PATH_MAX;
}

// The file first: without it, nobody looks at its WAL.
int listing__remove(const char *directory, const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (!join(path, directory, name, suffixes[i]))
            return -ENAMETOOLONG;
        if (unlink(path) != 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}

int listing__set_aside(const char *directory, const struct day_file *file)
{
    static const char *const suffixes[] = {"", "-wal"};
    struct day_file aside = *file;
    char name[DAY_FILE_NAME_BYTES], aside_name[DAY_FILE_NAME_BYTES], from[PATH_MAX], to[PATH_MAX];
    aside.is_damaged = true;
    day_file__name(file, name);
    day_file__name(&aside, aside_name);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (!join(from, directory, name, suffixes[i]) || !join(to, directory, aside_name, suffixes[i]))
            return -ENAMETOOLONG;
        if (rename(from, to) != 0 && errno != ENOENT)
            return -errno;
    }
    return join(from, directory, name, "-shm") && unlink(from) != 0 && errno != ENOENT ? -errno : 0;
}
