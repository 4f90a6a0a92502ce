#include "store/directory/coverage.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/database.h"
#include "store/texts.h"

// How many full intervals of each file of the daemon stand in the one tier and in the other.
struct counts {
    struct texts names; // ids count up from 1
    uint64_t (*by_name)[2];
    size_t capacity;
};

static void counts__release(struct counts *counts)
{
    texts__release(&counts->names);
    free(counts->by_name);
}

static int count(struct counts *counts, const char *name, unsigned side, uint64_t intervals)
{
    uint32_t id;
    int err = texts__intern(&counts->names, name ? name : "", SIZE_MAX, &id);
    if (err)
        return err;
    if (id >= counts->capacity) {
        size_t capacity = 2 * (size_t)id + 16;
        if (RESIZE(counts->by_name, capacity) != 0)
            return -ENOMEM;
        memset(counts->by_name + counts->capacity, 0, (capacity - counts->capacity) * sizeof(*counts->by_name));
        counts->capacity = capacity;
    }
    counts->by_name[id][side] += intervals;
    return 0;
}

static const char of_full[] = "SELECT value, (SELECT count(*) FROM interval) FROM meta WHERE key = 'store'";
static const char of_sums[] = "SELECT store, sum(last - first + 1) FROM source GROUP BY store";

static int count_file(const char *directory, const struct listed *item, unsigned side, struct counts *counts)
{
    _cleanup_(database__closep) sqlite3 *database = NULL;
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    char path[PATH_MAX];
    bool is_cut;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, item->name) >= sizeof(path))
        return -ENAMETOOLONG;
    int err = database__open_to_read(path, NULL, &database, &is_cut);
    if (!err)
        err = database__prepare(database, item->file.tier == STORE_TIER_FULL ? of_full : of_sums, &statement);
    for (bool has_row = true; !err;) {
        err = database__step(statement, &has_row);
        if (err || !has_row)
            break;
        err = count(counts, (const char *)sqlite3_column_text(statement, 0), side,
                    (uint64_t)sqlite3_column_int64(statement, 1));
    }
    return err;
}

bool coverage__is_whole(const char *directory, const struct listing *listing, uint32_t day, enum store_tier tier)
{
    _cleanup_(counts__release) struct counts counts = {0};
    int err = 0;
    for (size_t i = 0; i < listing->count && !err; i++) {
        const struct day_file *file = &listing->items[i].file;
        if (file->day == day && !file->is_damaged && (file->tier == tier || file->tier + 1 == tier))
            err = count_file(directory, &listing->items[i], file->tier == tier, &counts);
    }
    for (uint32_t id = 1; id < texts__end(&counts.names) && !err; id++)
        if (counts.by_name[id][0] > counts.by_name[id][1])
            return false;
    return !err;
}
