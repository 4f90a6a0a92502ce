#include "store/directory/watermark.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "store/database.h"

static const char file_name[] = "watermarks"; // not *.db: it is no store

static int path_of(const char *directory, char path[PATH_MAX], struct fault *fault)
{
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", directory, file_name) >= PATH_MAX)
        return fault__set(fault, -ENAMETOOLONG, "cannot write to the directory '%s': its name is too long", directory);
    return 0;
}

static int run(sqlite3 *database, const char *sql, const char *reader, uint64_t read_ns)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    int err = database__prepare(database, sql, &statement);
    if (err)
        return err;
    sqlite3_bind_text(statement, 1, reader, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)read_ns);
    return database__do(statement);
}

static int change(const char *directory, const char *sql, const char *reader, uint64_t read_ns, struct fault *fault)
{
    _cleanup_(database__closep) sqlite3 *database = NULL;
    char path[PATH_MAX];
    int err = path_of(directory, path, fault);
    if (!err)
        err = database__open_to_write(path, fault, &database);
    if (err)
        return err;
    err = database__run(database, "CREATE TABLE IF NOT EXISTS watermark (reader TEXT PRIMARY KEY NOT NULL, "
                                  "read_ns INTEGER NOT NULL) WITHOUT ROWID");
    if (!err)
        err = run(database, sql, reader, read_ns);
    return err ? database__fail(database, "write", path, fault) : 0;
}

int watermark__set(const char *directory, const char *reader, uint64_t read_ns, struct fault *fault)
{
    return change(directory, "INSERT OR REPLACE INTO watermark VALUES (?1, ?2)", reader, read_ns, fault);
}

int watermark__forget(const char *directory, const char *reader, struct fault *fault)
{
    return change(directory, "DELETE FROM watermark WHERE reader = ?1", reader, 0, fault);
}

int watermark__lowest(const char *directory, struct fault *fault, uint64_t *ret_read_ns)
{
    _cleanup_(database__closep) sqlite3 *database = NULL;
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    char path[PATH_MAX];
    bool is_cut, has_row = false;
    int err = path_of(directory, path, fault);
    if (err)
        return err;
    *ret_read_ns = UINT64_MAX;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    err = database__open_to_read(path, fault, &database, &is_cut);
    if (err)
        return err;
    err = database__prepare(database, "SELECT min(read_ns) FROM watermark HAVING count(*) > 0", &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (err)
        return database__fail(database, "read", path, fault);
    if (has_row)
        *ret_read_ns = (uint64_t)sqlite3_column_int64(statement, 0);
    return 0;
}
