#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/limits.h"

int database__errno(sqlite3 *database)
{
    int system = sqlite3_system_errno(database);
    switch (sqlite3_errcode(database) & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: // a lock on the -shm file, held for longer than SQLite tries
        return -EBUSY;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_IOERR:
        if (sqlite3_extended_errcode(database) == SQLITE_IOERR_SHORT_READ)
            return -EBADMSG;
        return system ? -system : -EIO;
    case SQLITE_PERM:
        return -EACCES;
    case SQLITE_CANTOPEN:
        return system ? -system : -EIO;
    case SQLITE_TOOBIG:
        return -E2BIG;
    case SQLITE_INTERRUPT:
        return -EINTR;
    default: // an SQL error: a table that is not there, a constraint
        return -EBADMSG;
    }
}

static const char *advice(int err)
{
    switch (err) {
    case -ENOSPC:
    case -EDQUOT:
        return "; free some space: what was written before is whole";
    case -EFBIG:
        return "; raise the limit on file sizes (ulimit -f): what was written before is whole";
    case -EROFS:
    case -EACCES:
    case -EPERM:
        return "; choose another place with -o, or change the permissions";
    case -EBUSY:
        return "; another program holds it: try again when that has ended";
    default:
        return "";
    }
}

int database__fail(sqlite3 *database, const char *what, const char *path, struct fault *fault)
{
    int err = database ? database__errno(database) : -ENOMEM;
    if (err == 0)
        err = -EIO;
    if (err == -EBADMSG && (sqlite3_errcode(database) & 0xff) == SQLITE_NOTADB)
        return fault__set(fault, err, "cannot %s the store '%s': it is not a SQLite file", what, path);
    if (err == -EBADMSG)
        return fault__set(fault, err,
                          "cannot %s the store '%s': it is damaged (%s); `sqlite3 FILE .recover` saves what is left",
                          what, path, sqlite3_errmsg(database));
    return fault__set(fault, err, "cannot %s the store '%s': %s%s", what, path, strerror(-err), advice(err));
}

int database__run(sqlite3 *database, const char *sql)
{
    return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : database__errno(database);
}

int database__prepare(sqlite3 *database, const char *sql, sqlite3_stmt **ret_statement)
{
    if (sqlite3_prepare_v2(database, sql, -1, ret_statement, NULL) != SQLITE_OK)
        return database__errno(database);
    return 0;
}

int database__step(sqlite3_stmt *statement, bool *ret_has_row)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *ret_has_row = true;
        return 0;
    }
    if (result != SQLITE_DONE) {
        int err = database__errno(sqlite3_db_handle(statement));
        sqlite3_reset(statement);
        return err ? err : -EIO;
    }
    sqlite3_reset(statement);
    *ret_has_row = false;
    return 0;
}

int database__do(sqlite3_stmt *statement)
{
    bool has_row;
    return database__step(statement, &has_row);
}

int database__open_to_write(const char *path, struct fault *fault, sqlite3 **ret_database)
{
    _cleanup_(database__closep) sqlite3 *database = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &database, flags, NULL) != SQLITE_OK)
        return database__fail(database, "open", path, fault);
    sqlite3_busy_timeout(database, LIMIT_STORE_BUSY_MS);
    *ret_database = take_pointer(database);
    return 0;
}

// Opens and reads page one, which is where an unusable WAL shows.
static int open_as(const char *name, int flags, const char *first, sqlite3 **ret_database, int *ret_result)
{
    _cleanup_(database__closep) sqlite3 *database = NULL;
    *ret_result = sqlite3_open_v2(name, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | flags, NULL);
    if (!database)
        return -ENOMEM;
    sqlite3_busy_timeout(database, LIMIT_STORE_BUSY_MS);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL); // the file may be a stranger's
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(database, SQLITE_LIMIT_LENGTH, LIMIT_STORE_CELL_BYTES);
    if (*ret_result == SQLITE_OK)
        *ret_result = sqlite3_exec(database, first, NULL, NULL, NULL);
    *ret_database = take_pointer(database);
    return 0;
}

// A file name as a URI: SQLite's parameters can be given only there.
static bool as_uri(const char *path, const char *parameters, char *uri, size_t size)
{
    size_t length = (size_t)snprintf(uri, size, "file:");
    for (; *path; path++) {
        if (length + 4 >= size)
            return false;
        bool is_plain = *path != '%' && *path != '?' && *path != '#' && (unsigned char)*path > 0x20;
        length += (size_t)snprintf(uri + length, size - length, is_plain ? "%c" : "%%%02X", (unsigned char)*path);
    }
    return (size_t)snprintf(uri + length, size - length, "?%s", parameters) < size - length;
}

// A file in WAL mode in a directory that cannot be written to: SQLite cannot make its -shm file there. Where there is
// no WAL the file is whole by itself. Where there is one, its index is built in memory: that is what SQLite does under
// an exclusive lock, and without locks (unix-none) nobody has to grant that. Who writes has a -shm file, and does not
// come here.
static int open_without_shm(const char *path, sqlite3 **ret_database, int *ret_result)
{
    char wal[PATH_MAX], uri[3 * PATH_MAX];
    struct stat status;
    bool has_wal = (size_t)snprintf(wal, sizeof(wal), "%s-wal", path) < sizeof(wal) && stat(wal, &status) == 0 &&
                   status.st_size > 0;
    if (!as_uri(path, has_wal ? "mode=ro&vfs=unix-none" : "mode=ro&immutable=1", uri, sizeof(uri)))
        return -ENAMETOOLONG;
    const char *first = has_wal ? "PRAGMA locking_mode=EXCLUSIVE; PRAGMA schema_version" : "PRAGMA schema_version";
    return open_as(uri, SQLITE_OPEN_URI, first, ret_database, ret_result);
}

// A file that is shorter than its first page says. SQLite refuses it, except to those who repair schemas.
static bool open_cut(sqlite3 *database)
{
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
    return sqlite3_exec(database, "PRAGMA schema_version", NULL, NULL, NULL) == SQLITE_OK;
}

int database__open_to_read(const char *path, struct fault *fault, sqlite3 **ret_database, bool *ret_is_cut)
{
    _cleanup_(database__closep) sqlite3 *database = NULL;
    struct stat status;
    if (stat(path, &status) != 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0) // by what this process may
        return fault__set(fault, -errno, "cannot read the store '%s': %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode)) // open() of a FIFO would wait for a writer
        return fault__set(fault, -EBADMSG, "cannot read the store '%s': it is not a file", path);
    int result;
    int err = open_as(path, 0, "PRAGMA schema_version", &database, &result);
    if (!err && ((result & 0xff) == SQLITE_CANTOPEN || (result & 0xff) == SQLITE_READONLY)) {
        sqlite3_close_v2(take_pointer(database));
        err = open_without_shm(path, &database, &result);
    }
    if (err)
        return fault__set(fault, err, "cannot read the store '%s': %s", path, strerror(-err));
    bool is_cut = result == SQLITE_CORRUPT && open_cut(database);
    if (result != SQLITE_OK && !is_cut)
        return database__fail(database, "read", path, fault);
    *ret_database = take_pointer(database);
    *ret_is_cut = is_cut;
    return 0;
}

int database__check(const char *path)
{
    _cleanup_(database__closep) sqlite3 *database = NULL;
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool is_cut = false, has_row = false;
    int err = database__open_to_read(path, NULL, &database, &is_cut);
    if (!err)
        err = database__prepare(database, "PRAGMA quick_check(1)", &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (err || is_cut || !has_row)
        return err ? err : -EBADMSG;
    const char *answer = (const char *)sqlite3_column_text(statement, 0);
    return answer && strcmp(answer, "ok") == 0 ? 0 : -EBADMSG;
}
