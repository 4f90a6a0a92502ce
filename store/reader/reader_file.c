// One file of a store: its connection, and how its tables are read through it.
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "store/base/limits.h"
#include "store/reader/reader_insides.h"
#include "store/schema.h"
#include "store/shape.h"

#include "store/base/grow.h"

int id_list__reserve(struct id_list *list, const struct reader_file *file, uint64_t id)
{
    if (id == 0 || id >= file->id_end)
        return -EBADMSG;
    if (id < list->count)
        return 0;
    // Ids come in order, one at a time: doubled, so that it stays linear.
    uint64_t count = id >= 2 * (uint64_t)list->count ? id + 1 : 2 * (uint64_t)list->count;
    if (RESIZE(list->ids, count) != 0)
        return -ENOMEM;
    memset(list->ids + list->count, 0, (count - list->count) * sizeof(*list->ids));
    list->count = (uint32_t)count;
    return 0;
}

int reader__text(struct texts *texts, sqlite3_stmt *statement, int column, uint32_t *ret_id)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return texts__intern(texts, text ? text : "", (size_t)sqlite3_column_bytes(statement, column), ret_id);
}

int reader_file__each(struct store_reader *reader, struct reader_file *file, const char *sql, const char *what,
                      int (*row)(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement),
                      struct fault *fault)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    int err = database__prepare(file->database, sql, &statement);
    for (bool has_row = true; !err && has_row;) {
        err = database__step(statement, &has_row);
        if (!err && has_row)
            err = row(reader, file, statement);
    }
    if (err == -EBADMSG) {
        reader__note_damage(reader, file, what, 0);
        return 0;
    }
    if (err && database__errno(file->database) == err)
        return database__fail(file->database, "read", file->path, fault);
    return err ? fault__set(fault, err, "cannot read the store '%s': %s", file->path, strerror(-err)) : 0;
}

static int get_number(sqlite3 *database, const char *sql, uint64_t *ret_number)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool has_row = false;
    int err = database__prepare(database, sql, &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (!err)
        *ret_number = has_row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return err;
}

static int refuse_foreign(struct reader_file *file, uint64_t pages, struct fault *fault)
{
    file->is_unborn = pages == 0;
    const char *why = pages ? "it is a SQLite file, but not a hearth store" : "it is empty";
    return fault__set(fault, -EBADMSG, "cannot read the store '%s': %s", file->path, why);
}

static uint32_t at_most(uint64_t ids)
{
    return ids < LIMIT_STORE_IDS_MAX ? (uint32_t)ids : LIMIT_STORE_IDS_MAX;
}

// File systems that count a file's blocks as soon as it is written. Others count those that a server has told (NFS) or
// that are on the disk by now (ZFS: one, for the first seconds). statfs(2)'s numbers.
static bool counts_blocks(uint64_t type)
{
    static const uint64_t types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
                                     TMPFS_MAGIC,      F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (type == types[i])
            return true;
    return false;
}

// The bytes of a file that can be more than a hole, by its blocks where these tell.
static uint64_t stored_bytes(const char *path, const char *suffix)
{
    char name[PATH_MAX];
    struct stat status;
    struct statfs system;
    if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >= sizeof(name) || stat(name, &status) != 0 ||
        statfs(name, &system) != 0)
        return 0;
    uint64_t bytes = (uint64_t)status.st_size, most = LIMIT_STORE_COMPRESSED * (uint64_t)status.st_blocks * 512;
    return !counts_blocks((uint32_t)system.f_type) || bytes < most ? bytes : most;
}

static void set_bounds(struct reader_file *file, uint64_t bytes)
{
    uint64_t stored = stored_bytes(file->path, "") + stored_bytes(file->path, "-wal");
    if (bytes > stored)
        bytes = stored;
    file->id_end = at_most(LIMIT_STORE_IDS(bytes));
    file->node_id_end = at_most(LIMIT_STORE_NODE_IDS(bytes));
    file->rows_most = LIMIT_STORE_ROWS(bytes);
}

static int check(struct reader_file *file, struct fault *fault)
{
    uint64_t application = 0, version = 0, pages = 0, page_bytes = 0;
    int err = get_number(file->database, "PRAGMA application_id", &application);
    if (!err)
        err = get_number(file->database, "PRAGMA user_version", &version);
    if (!err)
        err = get_number(file->database, "PRAGMA page_count", &pages);
    if (!err)
        err = get_number(file->database, "PRAGMA page_size", &page_bytes);
    if (err)
        return database__fail(file->database, "read", file->path, fault);
    if (application != SCHEMA_APPLICATION_ID)
        return refuse_foreign(file, pages, fault);
    set_bounds(file, pages * page_bytes);
    if (version > SCHEMA_VERSION)
        return fault__set(
            fault, -EPROTO,
            "cannot read the store '%s': a newer hearth made it (version %llu, this one reads %d); use that one",
            file->path, (unsigned long long)version, SCHEMA_VERSION);
    file->is_unborn = version == 0;
    if (file->is_unborn)
        return fault__set(fault, -EBADMSG,
                          "cannot read the store '%s': its recording ended before it began, nothing is in it",
                          file->path);
    return shape__check(file->database, file->path, fault);
}

static int get_name(struct reader_file *file, char **ret_name)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool has_row = false;
    int err = database__prepare(file->database, "SELECT value FROM meta WHERE key = 'store'", &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (err)
        return err;
    const char *name = has_row ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    char *copy = name ? strdup(name) : NULL;
    if (!copy)
        return name ? -ENOMEM : -EBADMSG;
    *ret_name = copy;
    return 0;
}

static int check_same(struct reader_file *file, struct fault *fault)
{
    _cleanup_free_ char *name = NULL;
    int err = get_name(file, &name);
    if (err)
        return database__fail(file->database, "read", file->path, fault);
    if (file->store_name && strcmp(file->store_name, name) != 0)
        return fault__set(fault, -ESTALE, "the store '%s' was replaced while it was read; ask again", file->path);
    if (!file->store_name)
        file->store_name = take_pointer(name);
    return 0;
}

int reader_file__hold(struct reader_file *file, struct fault *fault)
{
    if (file->holds == 0) {
        int err = database__open_to_read(file->path, fault, &file->database, &file->is_cut);
        if (err == -ENOENT && file->store_name)
            return fault__set(fault, -ESTALE, "the store '%s' was removed while it was read; ask again", file->path);
        if (!err)
            err = check(file, fault);
        if (!err)
            err = check_same(file, fault);
        if (err) {
            sqlite3_close_v2(take_pointer(file->database));
            return err;
        }
    }
    file->holds++;
    return 0;
}

void reader_file__release(struct reader_file *file)
{
    if (--file->holds == 0)
        sqlite3_close_v2(take_pointer(file->database));
}

int reader_file__in_transaction(struct store_reader *reader, struct reader_file *file, struct fault *fault,
                                int (*load)(struct store_reader *reader, struct reader_file *file, struct fault *fault))
{
    int err = reader_file__hold(file, fault);
    if (err)
        return err;
    err = database__run(file->database, "BEGIN");
    if (err)
        err = database__fail(file->database, "read", file->path, fault);
    else
        err = load(reader, file, fault);
    database__run(file->database, "COMMIT");
    reader_file__release(file);
    return err;
}

void reader_file__free(struct reader_file *file)
{
    struct id_list *lists[] = {&file->events,    &file->processes, &file->threads, &file->binaries,
                               &file->functions, &file->files,     &file->frames,  &file->nodes};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        free(lists[i]->ids);
    sqlite3_close_v2(file->database);
    free(file->own_parents);
    free(file->own_frames);
    free(file->store_name);
    free(file->path);
}
