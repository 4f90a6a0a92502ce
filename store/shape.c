// Tables that hearth does not know do no harm, since nobody reads them: `.recover` and ANALYZE leave some.
#include "store/shape.h"

#include <errno.h>

#include "store/database.h"

// SQLite goes by the text in `sql`, not by the column `type`. For an index that a PRIMARY KEY makes, `sql` is NULL.
static const char others[] = "SELECT type, name FROM sqlite_master WHERE sql <> '' AND sql NOT LIKE 'CREATE TABLE %'";

// Run after the query above, which leaves only tables: of a view, pragma_table_xinfo would compile the SELECT.
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

// Refuses a view or a trigger that was made after the check: SQLite names it in `within`.
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
