// SQLite, as the store uses it: opening, running, and turning its results into errno and words.
#ifndef HEARTH_STORE_DATABASE_H
#define HEARTH_STORE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"

static inline void database__close(sqlite3 *database)
{
    sqlite3_close_v2(database);
}
DEFINE_CLEANUP(sqlite3 *, database__close);

static inline void statement__finalize(sqlite3_stmt *statement)
{
    sqlite3_finalize(statement);
}
DEFINE_CLEANUP(sqlite3_stmt *, statement__finalize);

// Opens an existing file to be written, or makes it.
int database__open_to_write(const char *path, struct fault *fault, sqlite3 **ret_database);

// Opens to read only: beside a writer, after a crash of the writer, and where nothing may be written at all. Begins no
// transaction. -ENOENT, -EACCES, -EBADMSG, ... ret_is_cut: the file lacks its end; what is there can be read.
int database__open_to_read(const char *path, struct fault *fault, sqlite3 **ret_database, bool *ret_is_cut);

// Looks through the pages of a file, beside its writer. -EBADMSG: it is damaged; another error: it cannot be told.
int database__check(const char *path);

// The errno that SQLite's last result of this connection stands for.
int database__errno(sqlite3 *database);

// Sets "cannot WHAT the store 'PATH': why; what to do" and returns database__errno.
int database__fail(sqlite3 *database, const char *what, const char *path, struct fault *fault);

// These return 0 or -Exxx; database__fail finds the words.
int database__run(sqlite3 *database, const char *sql);
int database__prepare(sqlite3 *database, const char *sql, sqlite3_stmt **ret_statement);
// ret_has_row: there is a row to be read; without one the statement has ended and was reset.
int database__step(sqlite3_stmt *statement, bool *ret_has_row);
// A statement that gives no rows: runs it and makes it ready for the next time.
int database__do(sqlite3_stmt *statement);

#endif
