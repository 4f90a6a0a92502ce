// SQLite's virtual table protocol, for all tables of sql_table.h.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/base/name_pattern.h"
#include "store/sql/sql_table.h"

struct sql_vtab {
    sqlite3_vtab base;
    const struct sql_table *table;
    struct store_reader *reader;
};

void sql_result__text(sqlite3_context *result, const char *text)
{
    if (text)
        sqlite3_result_text(result, text, -1, SQLITE_STATIC);
}

void sql_result__u64(sqlite3_context *result, uint64_t number)
{
    sqlite3_result_int64(result, (sqlite3_int64)number);
}

void sql_result__wide(sqlite3_context *result, wide number)
{
    if (wide__fits_i64(number))
        sqlite3_result_int64(result, (sqlite3_int64)number);
    else
        sqlite3_result_double(result, (double)number);
}

void sql_result__time(sqlite3_context *result, uint64_t ns)
{
    char text[32];
    struct tm local;
    time_t seconds = (time_t)(ns / 1000000000);
    if (!localtime_r(&seconds, &local) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local))
        return;
    sqlite3_result_text(result, text, -1, SQLITE_TRANSIENT);
}

bool sql_time__parse(const char *text, uint64_t *ret_ns)
{
    struct tm local = {.tm_mday = 1, .tm_isdst = -1};
    char *end = text ? strptime(text, "%Y-%m-%d", &local) : NULL;
    if (!end)
        return false;
    strptime(end, " %H:%M:%S", &local);
    time_t seconds = mktime(&local);
    if (seconds < 0)
        return false;
    *ret_ns = (uint64_t)seconds * 1000000000;
    return true;
}

static void declare(const struct sql_table *table, sqlite3_str *text)
{
    sqlite3_str_appendf(text, "CREATE TABLE %s (", table->name);
    for (const struct sql_column *column = table->columns; column->name; column++)
        sqlite3_str_appendf(text, "%s%s %s", column == table->columns ? "" : ", ", column->name, column->type);
    sqlite3_str_appendall(text, ")");
}

static int connect(sqlite3 *database, void *data, int argc, const char *const *argv, sqlite3_vtab **ret_vtab,
                   char **ret_message)
{
    const struct sql_client *client = data;
    const struct sql_table *const *table = client->tables;
    (void)ret_message;
    while (*table && (argc < 3 || strcmp((*table)->name, argv[2]) != 0))
        table++;
    if (!*table)
        return SQLITE_ERROR;
    sqlite3_str *text = sqlite3_str_new(database);
    declare(*table, text);
    char *declaration = sqlite3_str_finish(text);
    int result = declaration ? sqlite3_declare_vtab(database, declaration) : SQLITE_NOMEM;
    sqlite3_free(declaration);
    struct sql_vtab *vtab = result == SQLITE_OK ? sqlite3_malloc(sizeof(*vtab)) : NULL;
    if (!vtab)
        return result == SQLITE_OK ? SQLITE_NOMEM : result;
    *vtab = (struct sql_vtab){.table = *table, .reader = client->reader};
    *ret_vtab = &vtab->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *vtab)
{
    sqlite3_free(vtab);
    return SQLITE_OK;
}

// The share of rows that a constraint on a role with this operator leaves; 1: all.
static double worth(enum sql_role role, unsigned char op)
{
    bool is_equal = op == SQLITE_INDEX_CONSTRAINT_EQ;
    bool is_bound = op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE ||
                    op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE;
    switch (role) {
    case SQL_ID:
    case SQL_INTERVAL:
        return is_equal ? 0.0001 : 1;
    case SQL_START:
    case SQL_END:
    case SQL_TIME:
        return is_equal ? 0.0001 : is_bound ? 0.2 : 1;
    case SQL_EVENT:
    case SQL_EVENT_NAME:
        return is_equal ? 0.3 : 1;
    case SQL_PID:
    case SQL_TID:
        return is_equal ? 0.05 : 1;
    case SQL_COMM:
        return is_equal || op == SQLITE_INDEX_CONSTRAINT_GLOB ? 0.05 : 1;
    default:
        return 1;
    }
}

// idxStr is two letters a constraint, in the order of the arguments: its role and its operator.
static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const struct sql_table *table = ((struct sql_vtab *)base)->table;
    double rows = table->rows;
    int arguments = 0;
    char *plan = sqlite3_malloc(2 * info->nConstraint + 1);
    if (!plan)
        return SQLITE_NOMEM;
    for (int i = 0; i < info->nConstraint; i++) {
        const struct sqlite3_index_constraint *constraint = &info->aConstraint[i];
        if (!constraint->usable || constraint->iColumn < 0)
            continue;
        enum sql_role role = table->columns[constraint->iColumn].role;
        double share = worth(role, constraint->op);
        if (share == 1)
            continue;
        rows = role == SQL_ID ? (rows < table->rows_of_id ? rows : table->rows_of_id) : rows * share;
        plan[2 * arguments] = (char)('a' + role);
        plan[2 * arguments + 1] = (char)('0' + (constraint->op == SQLITE_INDEX_CONSTRAINT_EQ     ? 0
                                                : constraint->op == SQLITE_INDEX_CONSTRAINT_GLOB ? 1
                                                : constraint->op == SQLITE_INDEX_CONSTRAINT_LT   ? 2
                                                : constraint->op == SQLITE_INDEX_CONSTRAINT_LE   ? 3
                                                                                                 : 4));
        info->aConstraintUsage[i].argvIndex = ++arguments;
    }
    plan[2 * arguments] = '\0';
    info->idxStr = plan;
    info->needToFreeIdxStr = 1;
    info->estimatedRows = (sqlite3_int64)(rows < 1 ? 1 : rows);
    info->estimatedCost = rows < 1 ? 1 : rows;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **ret_cursor)
{
    const struct sql_vtab *vtab = (struct sql_vtab *)base;
    struct sql_cursor *cursor = calloc(1, vtab->table->cursor_bytes);
    if (!cursor)
        return SQLITE_NOMEM;
    cursor->table = vtab->table;
    cursor->reader = vtab->reader;
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct sql_cursor *cursor = (struct sql_cursor *)base;
    if (cursor->table->end)
        cursor->table->end(cursor);
    free(cursor);
    return SQLITE_OK;
}

// A bound on time: `since` when the rows wanted are later than it, `until` when they are earlier.
static void narrow(struct store_query *query, char op, uint64_t low_ns, uint64_t high_ns)
{
    bool is_since = op == '0' || op == '4', is_until = op == '0' || op == '2' || op == '3';
    if (is_since && low_ns > query->since_ns)
        query->since_ns = low_ns;
    if (is_until && (!query->until_ns || high_ns < query->until_ns))
        query->until_ns = high_ns;
}

static bool as_ns(sqlite3_value *value, uint64_t *ret_low, uint64_t *ret_high)
{
    int type = sqlite3_value_numeric_type(value);
    double real = sqlite3_value_double(value);
    if ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) || !(real >= 0 && real < 9e18))
        return false;
    // A double near 2^61 is a multiple of 512. One more: an interval overlaps when it ends *after* the bound.
    uint64_t slack = type == SQLITE_FLOAT ? 1024 : 1, ns = (uint64_t)sqlite3_value_int64(value);
    *ret_low = ns > slack ? ns - slack : 0;
    *ret_high = ns + slack;
    return true;
}

static void ask_for_time(struct store_query *query, char op, sqlite3_value *value)
{
    uint64_t ns;
    if (sqlite3_value_type(value) == SQLITE_TEXT && sql_time__parse((const char *)sqlite3_value_text(value), &ns))
        narrow(query, op, ns > SQL_TIME_SLACK_NS ? ns - SQL_TIME_SLACK_NS : 0, ns + SQL_TIME_SLACK_NS);
}

// An id or a number that must fit; a value that is none equals no id at all.
static bool as_id(sqlite3_value *value, uint64_t most, uint64_t *ret_id)
{
    sqlite3_int64 id = sqlite3_value_int64(value);
    if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER || id < 0 || (uint64_t)id > most)
        return false;
    *ret_id = (uint64_t)id;
    return true;
}

static void ask_for_event_name(struct sql_cursor *cursor, const char *name)
{
    uint32_t found = 0, count = 0;
    for (uint32_t i = 1; name && i <= store_reader__event_count(cursor->reader); i++) {
        if (strcmp(store_reader__event(cursor->reader, i)->name, name) == 0) {
            found = i;
            count++;
        }
    }
    if (count == 0)
        cursor->ask.nothing = true;
    else if (count == 1)
        cursor->ask.query.event = found;
}

// Narrows the reader's choice where its pattern means the same as the operator: in a text without [] and \, and for =
// without * and ?. SQLite then compares all bytes of the names that are left.
static void ask_for_comm(struct sql_ask *ask, char op, const char *comm)
{
    struct name_pattern pattern;
    if (!comm || strlen(comm) >= sizeof(ask->comm) || strpbrk(comm, op == '0' ? "*?[]\\" : "[]\\") ||
        name_pattern__parse(comm, NULL, &pattern) != 0)
        return;
    memcpy(ask->comm, comm, strlen(comm) + 1);
    ask->query.comm = ask->comm;
}

static void ask_for_number(struct sql_ask *ask, enum sql_role role, sqlite3_value *value)
{
    uint64_t number;
    if (!as_id(value, role == SQL_ID ? INT64_MAX : UINT32_MAX, &number)) {
        ask->nothing = true;
        return;
    }
    if (role == SQL_ID) {
        ask->has_id = true;
        ask->id = number;
    } else if (role == SQL_PID) {
        ask->pid = (uint32_t)number;
        ask->query.pids = &ask->pid;
        ask->query.pid_count = 1;
    } else if (role == SQL_TID) {
        ask->tid = (uint32_t)number;
        ask->query.tids = &ask->tid;
        ask->query.tid_count = 1;
    } else if (number == 0) {
        ask->nothing = true; // ids begin at 1, and 0 asks for all
    } else if (role == SQL_INTERVAL) {
        ask->interval = (uint32_t)number;
    } else {
        ask->query.event = (uint32_t)number;
    }
}

static void ask_for(struct sql_cursor *cursor, enum sql_role role, char op, sqlite3_value *value)
{
    struct sql_ask *ask = &cursor->ask;
    uint64_t low, high;
    switch (role) {
    case SQL_START:
    case SQL_END:
        if (as_ns(value, &low, &high))
            narrow(&ask->query, op, low, high);
        break;
    case SQL_TIME:
        ask_for_time(&ask->query, op, value);
        break;
    case SQL_EVENT_NAME:
        ask_for_event_name(cursor, (const char *)sqlite3_value_text(value));
        break;
    case SQL_COMM:
        ask_for_comm(ask, op, (const char *)sqlite3_value_text(value));
        break;
    default:
        // "1" = 1 where the column has the affinity of a number: SQLite gives us the value as it stands.
        if (sqlite3_value_numeric_type(value) != SQLITE_FLOAT)
            ask_for_number(ask, role, value);
        break;
    }
}

static int answer(struct sql_cursor *cursor, int err, const struct fault *fault)
{
    if (!err)
        return SQLITE_OK;
    sqlite3_free(cursor->base.pVtab->zErrMsg);
    cursor->base.pVtab->zErrMsg = sqlite3_mprintf("%s", fault->text[0] ? fault->text : strerror(-err));
    return err == -ENOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc, sqlite3_value **argv)
{
    struct sql_cursor *cursor = (struct sql_cursor *)base;
    struct fault fault = {0};
    (void)number;
    if (cursor->table->end)
        cursor->table->end(cursor);
    memset(cursor + 1, 0, cursor->table->cursor_bytes - sizeof(*cursor));
    cursor->ask = (struct sql_ask){0};
    cursor->row = 0;
    for (int i = 0; i < argc; i++)
        ask_for(cursor, (enum sql_role)(plan[2 * i] - 'a'), plan[2 * i + 1], argv[i]);
    cursor->at_end = cursor->ask.nothing;
    return cursor->at_end ? SQLITE_OK : answer(cursor, cursor->table->begin(cursor, &fault), &fault);
}

static int next(sqlite3_vtab_cursor *base)
{
    struct sql_cursor *cursor = (struct sql_cursor *)base;
    struct fault fault = {0};
    cursor->row++;
    return answer(cursor, cursor->table->next(cursor, &fault), &fault);
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return ((struct sql_cursor *)base)->at_end;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *result, int number)
{
    struct sql_cursor *cursor = (struct sql_cursor *)base;
    cursor->table->column(cursor, result, number);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
    *ret_rowid = ((struct sql_cursor *)base)->row;
    return SQLITE_OK;
}

const struct sqlite3_module sql_module = {
    .iVersion = 1,
    .xCreate = connect,
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xDestroy = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = rowid,
};
