// SQL over a store, packed blocks included. The tables stand in a database in memory; each reads the store through a
// reader, so that a file and a directory of day files look the same, and nothing is ever written to them.
//
// Those of the file itself (meta, event, process, thread, binary, function, file, frame, frame_line, interval, total,
// process_total, loss, histogram_total, incident) have the columns that plain sqlite3 shows; `sample`, `stack`,
// `stack_frame` and `histogram` are unpacked as they are read. `store_sql__schema` prints them all.
#ifndef HEARTH_STORE_SQL_SQL_H
#define HEARTH_STORE_SQL_SQL_H

#include <stdbool.h>

#include "store/base/fault.h"
#include "store/reader/reader.h"

struct store_sql;

// The reader is borrowed until the free.
int store_sql__new(struct store_reader *reader, struct fault *fault, struct store_sql **ret_sql);
void store_sql__free(struct store_sql *sql);

struct store_sql_cell {
    const char *text; // NULL: NULL; a blob is in hex
    bool is_number;
};

struct store_sql_output {
    // Before the rows of a statement that has columns; each non-zero result ends the run with it.
    int (*head)(int columns, const char *const *names, void *context);
    int (*row)(int columns, const struct store_sql_cell *cells, void *context);
    int (*tail)(void *context); // after its last row; may be NULL
    void *context;
};

// Runs the statements of `text`, one after the other. -EINVAL with a fault for one that SQLite does not take.
int store_sql__run(struct store_sql *sql, const char *text, const struct store_sql_output *output, struct fault *fault);
// Whether `text` ends in a semicolon that ends a statement.
bool store_sql__is_complete(const char *text);

// The i-th table: "sample", and "CREATE TABLE sample (...)"; NULL past the last.
const char *store_sql__table(unsigned i);
const char *store_sql__schema(struct store_sql *sql, unsigned i);

#endif
