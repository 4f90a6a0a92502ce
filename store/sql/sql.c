#include "store/sql/sql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/sql/sql_table.h"

static const struct sql_table *const tables[] = {
    &sql_sample,  &sql_stack,           &sql_stack_frame, &sql_histogram, &sql_event,
    &sql_process, &sql_thread,          &sql_binary,      &sql_function,  &sql_file,
    &sql_frame,   &sql_frame_line,      &sql_interval,    &sql_total,     &sql_process_total,
    &sql_loss,    &sql_histogram_total, &sql_incident,    &sql_meta,      NULL,
};

struct store_sql {
    sqlite3 *database;
    struct sql_client client;
    char *schema; // the last one printed
};

DEFINE_CLEANUP(struct store_sql *, store_sql__free);

static int add_table(struct store_sql *sql, const struct sql_table *table)
{
    char *text = sqlite3_mprintf("CREATE VIRTUAL TABLE \"%w\" USING hearth(%s)", table->name, table->name);
    int err = text ? database__run(sql->database, text) : -ENOMEM;
    sqlite3_free(text);
    return err;
}

// Statements only read: no ATTACH, which opens any file to be written, no VACUUM INTO, no table of one's own, and of
// pragmas only those that tell of tables.
static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *trigger)
{
    (void)context, (void)database, (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        return sqlite3_stricmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
        return sqlite3_strnicmp(first, "table_", 6) == 0 ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

int store_sql__new(struct store_reader *reader, struct fault *fault, struct store_sql **ret_sql)
{
    _cleanup_(store_sql__freep) struct store_sql *sql = calloc(1, sizeof(*sql));
    if (!sql)
        return fault__set(fault, -ENOMEM, "out of memory");
    sql->client = (struct sql_client){.reader = reader, .tables = tables};
    int result = sqlite3_open_v2(":memory:", &sql->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_create_module_v2(sql->database, "hearth", &sql_module, &sql->client, NULL);
    int err = result == SQLITE_OK ? 0 : -ENOMEM;
    for (size_t i = 0; tables[i] && !err; i++)
        err = add_table(sql, tables[i]);
    if (err)
        return fault__set(fault, err, "cannot begin SQL: %s", sqlite3_errmsg(sql->database));
    sqlite3_set_authorizer(sql->database, authorize, NULL);
    sqlite3_limit(sql->database, SQLITE_LIMIT_ATTACHED, 0);
    *ret_sql = take_pointer(sql);
    return 0;
}

void store_sql__free(struct store_sql *sql)
{
    if (!sql)
        return;
    sqlite3_close_v2(sql->database);
    sqlite3_free(sql->schema);
    free(sql);
}

bool store_sql__is_complete(const char *text)
{
    return sqlite3_complete(text);
}

const char *store_sql__table(unsigned i)
{
    return i < sizeof(tables) / sizeof(tables[0]) && tables[i] ? tables[i]->name : NULL;
}

const char *store_sql__schema(struct store_sql *sql, unsigned i)
{
    if (!store_sql__table(i))
        return NULL;
    sqlite3_str *text = sqlite3_str_new(NULL);
    sqlite3_str_appendf(text, "CREATE TABLE %s (", tables[i]->name);
    for (const struct sql_column *column = tables[i]->columns; column->name; column++)
        sqlite3_str_appendf(text, "%s%s %s", column == tables[i]->columns ? "" : ", ", column->name, column->type);
    sqlite3_str_appendall(text, ");");
    sqlite3_free(sql->schema);
    sql->schema = sqlite3_str_finish(text);
    return sql->schema;
}

static int give_head(sqlite3_stmt *statement, int columns, const struct store_sql_output *output)
{
    const char **names = calloc((size_t)columns, sizeof(*names));
    if (!names)
        return -ENOMEM;
    for (int i = 0; i < columns; i++)
        names[i] = sqlite3_column_name(statement, i);
    int err = output->head(columns, names, output->context);
    free(names);
    return err;
}

static char *as_hex(const uint8_t *bytes, size_t length)
{
    char *hex = malloc(2 * length + 1);
    for (size_t i = 0; hex && i < length; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    if (hex)
        hex[2 * length] = '\0';
    return hex;
}

static int give_row(sqlite3_stmt *statement, int columns, const struct store_sql_output *output)
{
    struct store_sql_cell *cells = calloc((size_t)columns, sizeof(*cells));
    char **hexes = calloc((size_t)columns, sizeof(*hexes));
    int err = cells && hexes ? 0 : -ENOMEM;
    for (int i = 0; i < columns && !err; i++) {
        int type = sqlite3_column_type(statement, i);
        cells[i].is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
        if (type == SQLITE_BLOB) {
            hexes[i] = as_hex(sqlite3_column_blob(statement, i), (size_t)sqlite3_column_bytes(statement, i));
            cells[i].text = hexes[i];
        } else if (type != SQLITE_NULL) {
            cells[i].text = (const char *)sqlite3_column_text(statement, i);
        }
        err = type == SQLITE_NULL || cells[i].text ? 0 : -ENOMEM;
    }
    if (!err)
        err = output->row(columns, cells, output->context);
    for (int i = 0; hexes && i < columns; i++)
        free(hexes[i]);
    free(hexes);
    free(cells);
    return err;
}

static int fail(struct store_sql *sql, struct fault *fault)
{
    int err = sqlite3_errcode(sql->database) == SQLITE_NOMEM ? -ENOMEM : -EINVAL;
    if (sqlite3_errcode(sql->database) == SQLITE_AUTH)
        return fault__set(fault, err,
                          "cannot run the query: it does more than read; SELECT is what `hearth sql` takes");
    return fault__set(fault, err, "cannot run the query: %s", sqlite3_errmsg(sql->database));
}

static int run_statement(struct store_sql *sql, sqlite3_stmt *statement, const struct store_sql_output *output,
                         struct fault *fault)
{
    int columns = sqlite3_column_count(statement);
    int err = columns ? give_head(statement, columns, output) : 0;
    while (!err) {
        int result = sqlite3_step(statement);
        if (result == SQLITE_DONE)
            break;
        if (result != SQLITE_ROW)
            return fail(sql, fault);
        err = give_row(statement, columns, output);
    }
    if (!err && columns && output->tail)
        err = output->tail(output->context);
    return err;
}

int store_sql__run(struct store_sql *sql, const char *text, const struct store_sql_output *output, struct fault *fault)
{
    while (*text) {
        _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
        const char *rest;
        if (sqlite3_prepare_v2(sql->database, text, -1, &statement, &rest) != SQLITE_OK)
            return fail(sql, fault);
        int err = statement ? run_statement(sql, statement, output, fault) : 0; // NULL: a comment, or blanks
        if (err)
            return err;
        text = rest;
    }
    return 0;
}
