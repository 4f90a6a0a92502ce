// The table `incident` of `hearth sql`: the incidents of all files, read when a query begins.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/reader/reader_incidents.h"
#include "store/sql/sql_table.h"

struct incident_cursor {
    struct sql_cursor cursor;
    struct store_incident *rows; // their words are the cursor's own
    size_t count, capacity, at;
};

static struct incident_cursor *of(struct sql_cursor *base)
{
    return (struct incident_cursor *)base;
}

static void free_words(const struct store_incident *incident)
{
    free((char *)incident->rule);
    free((char *)incident->culprit);
    free((char *)incident->value);
    free((char *)incident->file);
}

static int keep(const struct store_incident *incident, void *context)
{
    struct incident_cursor *cursor = context;
    struct store_incident kept = *incident;
    if (GROW(cursor->rows, cursor->capacity, cursor->count + 1) != 0)
        return -ENOMEM;
    kept.rule = strdup(incident->rule);
    kept.culprit = strdup(incident->culprit);
    kept.value = strdup(incident->value);
    kept.file = strdup(incident->file);
    if (!kept.rule || !kept.culprit || !kept.value || !kept.file) {
        free_words(&kept);
        return -ENOMEM;
    }
    cursor->rows[cursor->count++] = kept;
    return 0;
}

static const struct sql_column incident_columns[] = {
    {"id", "INTEGER"}, {"start_ns", "INTEGER"}, {"end_ns", "INTEGER"},
    {"rule", "TEXT"},  {"culprit", "TEXT"},     {"value", "TEXT"},
    {"file", "TEXT"},  {"time", "TEXT"},        {0},
};

static int incident_begin(struct sql_cursor *base, struct fault *fault)
{
    struct incident_cursor *cursor = of(base);
    int err = store_reader__incidents(base->reader, fault, keep, cursor);
    if (err == -ENOMEM)
        return fault__set(fault, err, "out of memory");
    base->at_end = err || cursor->count == 0;
    return err;
}

static int incident_next(struct sql_cursor *base, struct fault *fault)
{
    struct incident_cursor *cursor = of(base);
    (void)fault;
    base->at_end = ++cursor->at >= cursor->count;
    return 0;
}

static void incident_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_incident *row = &of(base)->rows[of(base)->at];
    const uint64_t numbers[] = {row->id, row->start_ns, row->end_ns};
    // SQLite may keep a text longer than the cursor lives.
    const char *const texts[] = {row->rule, row->culprit, row->value, row->file};
    if (column < 3)
        sql_result__u64(result, numbers[column]);
    else if (column < 7)
        sqlite3_result_text(result, texts[column - 3], -1, SQLITE_TRANSIENT);
    else
        sql_result__time(result, row->start_ns);
}

static void incident_end(struct sql_cursor *base)
{
    struct incident_cursor *cursor = of(base);
    for (size_t i = 0; i < cursor->count; i++)
        free_words(&cursor->rows[i]);
    free(cursor->rows);
    cursor->rows = NULL;
    cursor->count = cursor->capacity = 0;
}

const struct sql_table sql_incident = {
    .name = "incident",
    .columns = incident_columns,
    .rows = 100,
    .rows_of_id = 1,
    .cursor_bytes = sizeof(struct incident_cursor),
    .begin = incident_begin,
    .next = incident_next,
    .column = incident_column,
    .end = incident_end,
};
