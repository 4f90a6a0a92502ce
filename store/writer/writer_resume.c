// The dictionaries of a store, read back into the writer's dictionaries, so that its next interval goes on with the
// same ids. Where a writer of this file has begun a dictionary anew, so do we: memory that was too small then is too
// small now.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "store/writer/writer_insides.h"

static uint32_t number32(sqlite3_stmt *statement, int column)
{
    return (uint32_t)sqlite3_column_int64(statement, column);
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

// The writer gave the ids in this order: anything else is damage.
static int expect(int err, const uint32_t *id, sqlite3_stmt *statement)
{
    return err ? err : *id == number32(statement, 0) ? 0 : -EBADMSG;
}

static int take_restarts(struct store_writer *writer, sqlite3_stmt *statement)
{
    writer->restarts = writer->restarts_written = number32(statement, 0);
    return 0;
}

static int take_next(struct store_writer *writer, sqlite3_stmt *statement)
{
    writer->next_interval = number32(statement, 0) + 1;
    return 0;
}

static int take_event(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t id = 0;
    int how = sqlite3_column_int(statement, 5);
    struct store_event event = {.name = text_of(statement, 1),
                                .unit = text_of(statement, 2),
                                .detail = text_of(statement, 3),
                                .period = (uint64_t)sqlite3_column_int64(statement, 4),
                                .is_histogram = how != 0,
                                .is_doubled = how == 2};
    return expect(store_writer__event(writer, &event, &id), &id, statement);
}

static int take_process(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t id = 0;
    struct store_process process = {.pid = number32(statement, 1),
                                    .start_ns = (uint64_t)sqlite3_column_int64(statement, 2),
                                    .parent_pid = number32(statement, 3),
                                    .uid = number32(statement, 4),
                                    .comm = text_of(statement, 5),
                                    .exe = text_of(statement, 6),
                                    .cgroup = text_of(statement, 7),
                                    .container = text_of(statement, 8)};
    return expect(store_writer__process(writer, &process, &id), &id, statement);
}

static int take_thread(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t id = 0;
    int err = store_writer__thread(writer, number32(statement, 1), number32(statement, 2), text_of(statement, 3), &id);
    return expect(err, &id, statement);
}

static int take_binary(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t id = 0;
    struct store_binary binary = {.kind = number32(statement, 1),
                                  .build_id = sqlite3_column_blob(statement, 2),
                                  .build_id_bytes = (size_t)sqlite3_column_bytes(statement, 2),
                                  .path = text_of(statement, 3),
                                  .digest = (uint64_t)sqlite3_column_int64(statement, 4)};
    return expect(store_writer__binary(writer, &binary, &id), &id, statement);
}

static int take_function(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t id = 0;
    return expect(texts__intern(&writer->functions, text_of(statement, 1), SIZE_MAX, &id), &id, statement);
}

static int take_file(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t id = 0;
    return expect(texts__intern(&writer->files, text_of(statement, 1), SIZE_MAX, &id), &id, statement);
}

static int take_frame(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t id = 0;
    uint64_t offset = (uint64_t)sqlite3_column_int64(statement, 2);
    return expect(store_writer__frame(writer, number32(statement, 1), offset, &id, NULL), &id, statement);
}

static int take_name(struct store_writer *writer, sqlite3_stmt *statement)
{
    struct writer_frame *frame = dictionary__record(&writer->frames, number32(statement, 0));
    if (frame)
        frame->is_named = frame->is_wanted = true;
    return frame ? 0 : -EBADMSG;
}

static int take_nodes(struct store_writer *writer, sqlite3_stmt *statement)
{
    uint32_t first = number32(statement, 0), count = number32(statement, 1);
    if (first != dictionary__end(&writer->nodes) || count > LIMIT_STORE_PACK_ROWS)
        return -EBADMSG;
    _cleanup_free_ uint32_t *parents = calloc((size_t)count + 1, sizeof(*parents));
    _cleanup_free_ uint32_t *frames = calloc((size_t)count + 1, sizeof(*frames));
    if (!parents || !frames)
        return -ENOMEM;
    int err = packer__unpack_nodes(writer->packer, sqlite3_column_blob(statement, 2),
                                   (size_t)sqlite3_column_bytes(statement, 2), first, count, parents, frames);
    for (uint32_t i = 0, id; i < count && !err; i++) {
        err = store_writer__node(writer, parents[i], frames[i], &id);
        if (!err && id != first + i)
            err = -EBADMSG;
    }
    return err;
}

struct table {
    const char *sql;
    int (*row)(struct store_writer *writer, sqlite3_stmt *statement);
};

// Columns and tables that files of an older hearth lack: without them no row of today's could be put.
static const struct {
    const char *table, *column; // any column, where the table is lacking
    const char *sql;
} additions[] = {
    {"interval", "own_map_bytes", "ALTER TABLE interval ADD COLUMN own_map_bytes INTEGER NOT NULL DEFAULT 0"},
    {"interval", "own_written_bytes", "ALTER TABLE interval ADD COLUMN own_written_bytes INTEGER NOT NULL DEFAULT 0"},
    {"incident", "id",
     "CREATE TABLE incident (id INTEGER PRIMARY KEY, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, rule TEXT NOT "
     "NULL, culprit TEXT NOT NULL, value TEXT NOT NULL, file TEXT NOT NULL)"},
};

static int has_column(struct store_writer *writer, size_t addition, bool *ret_has)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    int err = database__prepare(writer->database, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?", &statement);
    if (err)
        return err;
    sqlite3_bind_text(statement, 1, additions[addition].table, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, additions[addition].column, -1, SQLITE_STATIC);
    return database__step(statement, ret_has);
}

static int bring_up_to_date(struct store_writer *writer)
{
    int err = 0;
    for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]) && !err; i++) {
        bool has = false;
        err = has_column(writer, i, &has);
        if (!err && !has)
            err = database__run(writer->database, additions[i].sql);
    }
    return err;
}

// Needed in any case.
static const struct table heads[] = {
    {"SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'restarts'", take_restarts},
    {"SELECT coalesce(max(id), 0) FROM interval", take_next},
    {"SELECT id, name, unit, detail, period, is_histogram FROM event ORDER BY id", take_event},
};

static const struct table dictionaries[] = {
    {"SELECT id, pid, start_ns, parent_pid, uid, comm, exe, cgroup, container FROM process ORDER BY id", take_process},
    {"SELECT id, process, tid, comm FROM thread ORDER BY id", take_thread},
    {"SELECT id, kind, build_id, path, digest FROM binary ORDER BY id", take_binary},
    {"SELECT id, name FROM function ORDER BY id", take_function},
    {"SELECT id, path FROM file ORDER BY id", take_file},
    {"SELECT id, binary, offset FROM frame ORDER BY id", take_frame},
    {"SELECT frame FROM frame_line WHERE depth = 0", take_name},
    {"SELECT id, node_count, data FROM node_pack ORDER BY id", take_nodes},
};

static int read_table(struct store_writer *writer, const struct table *table)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    int err = database__prepare(writer->database, table->sql, &statement);
    for (bool has_row = true; !err;) {
        err = database__step(statement, &has_row);
        if (err || !has_row)
            return err;
        err = table->row(writer, statement);
    }
    return err;
}

// All is in the file already. Rows beyond the limits of the dictionaries are forgotten, as after any write.
static void settle(struct store_writer *writer)
{
    writer->events_written = writer->event_count;
    buf__clear(&writer->lines);
    writer_words__wrote(writer);
}

static void forget(struct store_writer *writer)
{
    struct dictionary *dictionaries_of[] = {&writer->processes, &writer->threads, &writer->binaries, &writer->frames,
                                            &writer->nodes};
    for (size_t i = 0; i < sizeof(dictionaries_of) / sizeof(dictionaries_of[0]); i++)
        dictionary__restart(dictionaries_of[i]);
    texts__restart(&writer->words);
    texts__restart(&writer->paths);
    texts__restart(&writer->functions);
    texts__restart(&writer->files);
}

static int begin_anew(struct store_writer *writer)
{
    forget(writer);
    const struct {
        const char *sql;
        uint32_t *base;
        struct dictionary *dictionary; // NULL: of texts
    } ends[] = {
        {"SELECT coalesce(max(id), 0) + 1 FROM process", NULL, &writer->processes},
        {"SELECT coalesce(max(id), 0) + 1 FROM thread", NULL, &writer->threads},
        {"SELECT coalesce(max(id), 0) + 1 FROM binary", NULL, &writer->binaries},
        {"SELECT coalesce(max(id), 0) + 1 FROM frame", NULL, &writer->frames},
        {"SELECT coalesce(max(id + node_count), 1) FROM node_pack", NULL, &writer->nodes},
        {"SELECT coalesce(max(id), 0) + 1 FROM function", &writer->functions.base, NULL},
        {"SELECT coalesce(max(id), 0) + 1 FROM file", &writer->files.base, NULL},
    };
    int err = 0;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && !err; i++) {
        _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
        bool has_row = false;
        err = database__prepare(writer->database, ends[i].sql, &statement);
        if (!err)
            err = database__step(statement, &has_row);
        if (err || !has_row)
            continue;
        if (ends[i].dictionary)
            ends[i].dictionary->base = ends[i].dictionary->written = number32(statement, 0);
        else
            *ends[i].base = number32(statement, 0);
    }
    writer->restarts++;
    return err;
}

int writer_resume__load(struct store_writer *writer)
{
    int err = bring_up_to_date(writer);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]) && !err; i++)
        err = read_table(writer, &heads[i]);
    bool is_too_much = writer->restarts > 0;
    for (size_t i = 0; i < sizeof(dictionaries) / sizeof(dictionaries[0]) && !err && !is_too_much; i++)
        err = read_table(writer, &dictionaries[i]);
    if (err == -ENOBUFS || (!err && is_too_much))
        err = begin_anew(writer);
    if (!err)
        settle(writer);
    return err;
}
