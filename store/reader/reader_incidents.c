#include "store/reader/reader_incidents.h"

#include <errno.h>

#include "store/reader/reader_insides.h"

static const char has_table[] = "SELECT count(*) FROM pragma_table_info('incident')";
static const char all[] = "SELECT id, start_ns, end_ns, rule, culprit, value, file FROM incident ORDER BY id";

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *)text : "";
}

static struct store_incident incident_of(sqlite3_stmt *statement)
{
    return (struct store_incident){.id = (uint64_t)sqlite3_column_int64(statement, 0),
                                   .start_ns = (uint64_t)sqlite3_column_int64(statement, 1),
                                   .end_ns = (uint64_t)sqlite3_column_int64(statement, 2),
                                   .rule = text_of(statement, 3),
                                   .culprit = text_of(statement, 4),
                                   .value = text_of(statement, 5),
                                   .file = text_of(statement, 6)};
}

static int lacks_table(const struct reader_file *file, bool *ret_lacks)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool has_row = false;
    int err = database__prepare(file->database, has_table, &statement);
    if (!err)
        err = database__step(statement, &has_row);
    *ret_lacks = !has_row || sqlite3_column_int64(statement, 0) == 0;
    return err;
}

static int read_file(const struct reader_file *file, int (*row)(const struct store_incident *incident, void *context),
                     void *context, int *ret_err)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool lacks = false, has_row = true;
    *ret_err = lacks_table(file, &lacks);
    if (*ret_err || lacks)
        return 0;
    *ret_err = database__prepare(file->database, all, &statement);
    while (!*ret_err) {
        *ret_err = database__step(statement, &has_row);
        if (*ret_err || !has_row)
            return 0;
        const struct store_incident incident = incident_of(statement);
        int err = row(&incident, context);
        if (err)
            return err;
    }
    return 0;
}

int store_reader__incidents(struct store_reader *reader, struct fault *fault,
                            int (*row)(const struct store_incident *incident, void *context), void *context)
{
    int err = 0;
    for (uint32_t i = 0; i < reader->file_count && !err; i++) {
        struct reader_file *file = &reader->files[i];
        int damage = 0;
        err = reader_file__hold(file, fault);
        if (err)
            return err;
        err = read_file(file, row, context, &damage);
        if (damage)
            reader__note_damage(reader, file, "the table incident", 0);
        reader_file__release(file);
    }
    return err;
}
