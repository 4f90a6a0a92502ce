// Tables that hearth does not know are let be: `.recover` leaves one, ANALYZE does, and nobody reads them.
#include "store/shape.h"

#include <errno.h>

#include "store/database.h"

// The text is what SQLite goes by, whatever the column `type` says. It has none for an index that a table has of
// itself.
static const char others[] = "SELECT type, name FROM sqlite_master WHERE sql <> '' AND sql NOT LIKE 'CREATE TABLE %'";

// Asked only where there are but tables: a view's columns are found by compiling it.
static const char computed[] = "SELECT 'computed column', t.name || '.' || c.name FROM pragma_table_list AS t, "
                               "pragma_table_xinfo(t.name, t.schema) AS c WHERE c.hidden <> 0";

static int refuse_first(sqlite3 *database, const char *query, const char *path, struct fault *fault)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool has_row = false;
    int err = database__prepare(database, query, &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (err)
        return database__fail(database, "read", path, fault);
    if (!has_row)
        return 0;
    const char *type = (const char *)sqlite3_column_text(statement, 0);
    const char *name = (const char *)sqlite3_column_text(statement, 1);
    return fault__set(fault, -EBADMSG,
                      "cannot read the store '%s': the %.40s '%.80s' in it is not hearth's, and SQLite would run it; "
                      "drop it, if it is your own",
                      path, type ? type : "", name ? name : "");
}

// What became a view or a trigger since the check is not read either: `within` names it.
static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *within)
{
    (void)context, (void)action, (void)first, (void)second, (void)database;
    return within ? SQLITE_DENY : SQLITE_OK;
}

int shape__check(sqlite3 *database, const char *path, struct fault *fault)
{
    int err = refuse_first(database, others, path, fault);
    if (!err)
        err = refuse_first(database, computed, path, fault);
    if (!err)
        sqlite3_set_authorizer(database, authorize, NULL);
    return err;
}
