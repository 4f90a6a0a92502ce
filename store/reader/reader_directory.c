// Which files a store is made of: one, or those of a directory.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/limits.h"
#include "store/day_file.h"
#include "store/reader/reader_insides.h"

#include "store/base/grow.h"

static inline void cleanup__closedir(DIR *directory)
{
    closedir(directory);
}
DEFINE_CLEANUP(DIR *, cleanup__closedir);

static int add_file(struct store_reader *reader, const char *path)
{
    if (RESIZE(reader->files, reader->file_count + 1) != 0)
        return -ENOMEM;
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    reader->files[reader->file_count++] = (struct reader_file){.path = copy};
    return 0;
}

// An interval may end, and one of the longest tier may begin, that far from what is asked for.
#define SLACK_NS (2 * 3600 * 1000000000ull)

static bool is_named(const struct store_part *part, const char *name)
{
    for (size_t i = 0; i < part->name_count; i++)
        if (strcmp(part->names[i], name) == 0)
            return true;
    return part->name_count == 0;
}

static bool may_hold(const struct store_part *part, const char *name)
{
    struct day_file file;
    if (!is_named(part, name))
        return false;
    if (!day_file__parse(name, &file))
        return true;
    uint64_t begin_ns = file.day * DAY_NS, end_ns = begin_ns + DAY_NS + SLACK_NS;
    return end_ns > part->since_ns && (!part->until_ns || begin_ns < part->until_ns);
}

// Days in their order, each with what was rolled up after what that was made of: an interval that is rolled up and
// retired while we read is found in one of the two.
static int compare_names(const void *a, const void *b)
{
    const char *x = strrchr(((const struct reader_file *)a)->path, '/') + 1;
    const char *y = strrchr(((const struct reader_file *)b)->path, '/') + 1;
    struct day_file left, right;
    if (!day_file__parse(x, &left) || !day_file__parse(y, &right))
        return strcmp(x, y);
    if (left.day != right.day)
        return left.day < right.day ? -1 : 1;
    if (left.tier != right.tier)
        return left.tier < right.tier ? -1 : 1;
    return (left.number > right.number) - (left.number < right.number);
}

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length > end_length && strcmp(name + length - end_length, end) == 0;
}

// One that the daemon has set aside is not read. Of full intervals it is told; sums are made again.
static int list_file(struct store_reader *reader, const char *name)
{
    char path[PATH_MAX];
    struct day_file file;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", reader->path, name) >= sizeof(path))
        return 0;
    if (ends_in(name, ".db"))
        return add_file(reader, path);
    if (day_file__parse(name, &file) && file.tier == STORE_TIER_FULL)
        reader__note_damage(reader, &(struct reader_file){.path = path}, "the whole", 0);
    return 0;
}

static int list_files(struct store_reader *reader, const struct store_part *part, struct fault *fault)
{
    _cleanup_(cleanup__closedirp) DIR *directory = opendir(reader->path);
    if (!directory)
        return fault__set(fault, -errno, "cannot read the store '%s': %s", reader->path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(directory));) {
        if ((!ends_in(entry->d_name, ".db") && !ends_in(entry->d_name, ".db" DAY_FILE_DAMAGED)) ||
            !may_hold(part, entry->d_name))
            continue;
        int err = list_file(reader, entry->d_name);
        if (err)
            return fault__set(fault, err, "out of memory");
    }
    if (reader->file_count)
        qsort(reader->files, reader->file_count, sizeof(*reader->files), compare_names);
    return 0;
}

static int find_files(struct store_reader *reader, const struct store_part *part, struct fault *fault)
{
    int err = list_files(reader, part, fault);
    if (!err && reader->file_count == 0 && !part->name_count && (part->since_ns || part->until_ns))
        err = list_files(reader, &(struct store_part){0}, fault);
    if (!err && reader->file_count == 0)
        err = fault__set(fault, -ENOENT, "cannot read the store '%s': no file in that directory ends in .db",
                         reader->path);
    return err;
}

static void drop_file(struct store_reader *reader, size_t index)
{
    reader_file__free(&reader->files[index]);
    reader->file_count--;
    memmove(&reader->files[index], &reader->files[index + 1], (reader->file_count - index) * sizeof(*reader->files));
}

// The files of a directory: what is no store, or damaged as a whole, is left out and noted; what a retention removed
// meanwhile is not missed. The others stay open, unless they are many: what is removed later can still be read.
static int load_directory(struct store_reader *reader, struct fault *fault)
{
    struct fault first = {0};
    int first_err = -ENOENT;
    for (size_t i = 0; i < reader->file_count;) {
        struct fault why = {0};
        int err = reader_dictionaries__load(reader, &reader->files[i], &why);
        if (!err && reader->file_count <= LIMIT_STORE_HELD_FILES)
            err = reader_file__hold(&reader->files[i], &why);
        if (!err) {
            i++;
            continue;
        }
        if (err != -EBADMSG && err != -ENOENT) {
            if (fault)
                *fault = why;
            return err;
        }
        if (err == -EBADMSG && !reader->files[i].is_unborn) {
            reader__note_damage(reader, &reader->files[i], "the whole", 0);
            if (!first.text[0]) {
                first = why;
                first_err = err;
            }
        }
        drop_file(reader, i);
    }
    if (reader->file_count > 0)
        return 0;
    if (fault && first.text[0])
        *fault = first;
    else
        fault__set(fault, first_err, "cannot read the store '%s': it holds nothing", reader->path);
    return first_err;
}

int reader_directory__load(struct store_reader *reader, const struct store_part *part, struct fault *fault)
{
    struct stat status;
    if (stat(reader->path, &status) != 0)
        return fault__set(fault, -errno, "cannot read the store '%s': %s%s", reader->path, strerror(errno),
                          errno == ENOENT ? "; name one with -i, or make one with `hearth record`" : "");
    if (S_ISDIR(status.st_mode)) {
        int err = find_files(reader, part, fault);
        return err ? err : load_directory(reader, fault);
    }
    int err = add_file(reader, reader->path);
    if (err)
        return fault__set(fault, err, "out of memory");
    return reader_dictionaries__load(reader, &reader->files[0], fault);
}
