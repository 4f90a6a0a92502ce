// A table of `hearth sql`: a row of the one list in sql.c, and a cursor. sql_module.c speaks SQLite's virtual table
// protocol for all of them: it tells SQLite which constraints help (those on columns with a role), and hands them to
// the cursor as a `sql_ask`. A cursor may give more rows than it was asked for: SQLite checks each row again.
#ifndef HEARTH_STORE_SQL_SQL_TABLE_H
#define HEARTH_STORE_SQL_SQL_TABLE_H

#include <sqlite3.h>

#include "store/reader/reader_insides.h"

enum sql_role {
    SQL_PLAIN,      // no constraint on it helps
    SQL_ID,         // = finds the row, or the few rows, at once
    SQL_INTERVAL,   // =
    SQL_START,      // =, <, <=, >, >= bound the range of time
    SQL_END,        // the same, of the interval's end
    SQL_TIME,       // the same, of its start as a text
    SQL_EVENT,      // = an id
    SQL_EVENT_NAME, // = a name
    SQL_PID,        // =
    SQL_TID,        // =
    SQL_COMM,       // =, GLOB
};

struct sql_column {
    const char *name;
    const char *type; // "INTEGER", "TEXT", "BLOB"
    enum sql_role role;
};

// The part of a query that a table may use to read less. The words and arrays of `query` point into the same structure.
struct sql_ask {
    bool nothing; // no row can be meant
    bool has_id;
    uint64_t id;
    uint32_t interval; // 0: all of the query's
    struct store_query query;
    uint32_t pid, tid;
    char comm[64];
};

struct sql_cursor {
    sqlite3_vtab_cursor base;
    const struct sql_table *table;
    struct store_reader *reader;
    sqlite3_int64 row;
    bool at_end;
    struct sql_ask ask;
    // The table's own state stands behind this, zeroed before each begin.
};

struct sql_table {
    const char *name;
    const struct sql_column *columns; // ended by a row without a name
    double rows;                      // a guess, for SQLite's planner: that of a day
    double rows_of_id;                // how many have the same SQL_ID
    size_t cursor_bytes;
    // Goes to the first row, or sets at_end.
    int (*begin)(struct sql_cursor *cursor, struct fault *fault);
    int (*next)(struct sql_cursor *cursor, struct fault *fault);
    void (*column)(struct sql_cursor *cursor, sqlite3_context *result, int column);
    void (*end)(struct sql_cursor *cursor); // frees; may be called on what never began; NULL: nothing to do
};

extern const struct sqlite3_module sql_module;

// The client data of the module.
struct sql_client {
    struct store_reader *reader;
    const struct sql_table *const *tables; // ended by NULL
};

// Shared by columns.
void sql_result__text(sqlite3_context *result, const char *text); // borrowed for the life of the reader; NULL: NULL
void sql_result__u64(sqlite3_context *result, uint64_t number);
void sql_result__wide(sqlite3_context *result, wide number); // beyond SQLite's integers: a real one
void sql_result__time(sqlite3_context *result, uint64_t ns); // "2026-11-21 12:30:05", local
#define SQL_TIME_SLACK_NS (26 * 3600 * 1000000000ull) // how far texts of local time may be off: zones, summer time
bool sql_time__parse(const char *text, uint64_t *ret_ns);

extern const struct sql_table sql_meta, sql_event, sql_process, sql_thread, sql_binary, sql_function, sql_file,
    sql_frame, sql_frame_line, sql_interval, sql_total, sql_process_total, sql_loss, sql_histogram_total, sql_incident,
    sql_sample, sql_histogram, sql_stack, sql_stack_frame;

#endif
