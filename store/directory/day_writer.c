#include "store/directory/day_writer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/directory/listing.h"

// The highest number of the day and tier; 0: there is none. ret_is_damaged: that one was set aside.
static int find_last(const char *directory, struct day_file *file, struct fault *fault, bool *ret_is_damaged)
{
    _cleanup_(listing__release) struct listing listing = {0};
    int err = listing__read(directory, fault, &listing);
    file->number = 0;
    for (size_t i = 0; i < listing.count; i++) {
        const struct day_file *item = &listing.items[i].file;
        if (item->day != file->day || item->tier != file->tier)
            continue;
        file->number = item->number;
        *ret_is_damaged = item->is_damaged;
    }
    return err;
}

static int path_of(const char *directory, const struct day_file *file, char path[PATH_MAX], struct fault *fault)
{
    char name[DAY_FILE_NAME_BYTES];
    day_file__name(file, name);
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
        return fault__set(fault, -ENAMETOOLONG, "cannot write to the directory '%s': its name is too long", directory);
    return 0;
}

static int create(const char *directory, const struct day_file *file, const struct store_meta *meta,
                  struct fault *fault, struct store_writer **ret_writer)
{
    char path[PATH_MAX];
    int err = path_of(directory, file, path, fault);
    return err ? err : store_writer__create(path, meta, fault, ret_writer);
}

int day_writer__create(const char *directory, struct day_file *file, const struct store_meta *meta, struct fault *fault,
                       struct store_writer **ret_writer)
{
    bool is_damaged;
    int err = find_last(directory, file, fault, &is_damaged);
    file->number++;
    return err ? err : create(directory, file, meta, fault, ret_writer);
}

int day_writer__open(const char *directory, struct day_file *file, const struct store_meta *meta, struct fault *fault,
                     struct store_writer **ret_writer, char ret_aside[DAY_FILE_NAME_BYTES])
{
    char path[PATH_MAX];
    bool is_damaged = false;
    if (ret_aside)
        *ret_aside = '\0';
    int err = find_last(directory, file, fault, &is_damaged);
    if (err)
        return err;
    if (file->number && !is_damaged) {
        err = path_of(directory, file, path, fault);
        if (!err)
            err = store_writer__resume(path, fault, ret_writer);
        if (err == -ENODATA || err == -ENOENT)
            return store_writer__create(path, meta, fault, ret_writer);
        if (err != -EBADMSG && err != -EPROTO)
            return err;
        if (err == -EBADMSG && ret_aside)
            day_file__name(file, ret_aside);
        err = err == -EBADMSG ? listing__set_aside(directory, file) : 0;
        if (err)
            return fault__set(fault, err, "cannot rename the damaged store '%s': %s", path, strerror(-err));
    }
    file->number++;
    return create(directory, file, meta, fault, ret_writer);
}
