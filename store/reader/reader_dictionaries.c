// The dictionaries of one file, all that is asked of a store but names, stacks and values; joined with those of other
// files by the keys of reader_insides.h.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "store/reader/reader_insides.h"

#include "store/base/grow.h"

static uint32_t number32(sqlite3_stmt *statement, int column)
{
    return (uint32_t)sqlite3_column_int64(statement, column);
}

static uint64_t number64(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static int take_meta(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    uint32_t id;
    const char *key = (const char *)sqlite3_column_text(statement, 0);
    int err = reader__text(&reader->words, statement, 1, &id);
    if (err || !key)
        return err;
    const char *value = texts__text(&reader->words, id);
    const struct {
        const char *key;
        const char **target;
    } words[] = {{"host", &reader->meta.host},
                 {"kernel", &reader->meta.kernel},
                 {"arch", &reader->meta.arch},
                 {"version", &reader->meta.version},
                 {"command", &reader->meta.command}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(key, words[i].key) == 0)
            *words[i].target = value;
    if (strcmp(key, "cpu_count") == 0)
        reader->meta.cpu_count = (uint32_t)strtoul(value, NULL, 10);
    if (strcmp(key, "restarts") == 0)
        file->has_restarted = strtoul(value, NULL, 10) > 0;
    return 0;
}

// Files, and recordings of one file, may have taken samples at different rates: then no sample of the event stands for
// a fixed time, and reports count samples.
static int join_period(struct store_reader *reader, struct store_event *known, uint64_t period)
{
    uint32_t word;
    if (known->period == period)
        return 0;
    known->period = 0;
    int err = texts__intern(&reader->words, "at several rates", SIZE_MAX, &word);
    if (!err)
        known->detail = texts__text(&reader->words, word);
    return err;
}

static int find_event(struct store_reader *reader, const struct store_event *event, uint32_t *ret_event)
{
    for (uint32_t i = 0; i < reader->event_count; i++) {
        struct store_event *known = &reader->events[i];
        if (known->name == event->name && known->unit == event->unit && known->is_histogram == event->is_histogram &&
            known->is_doubled == event->is_doubled) {
            *ret_event = i + 1;
            return join_period(reader, known, event->period);
        }
    }
    if (RESIZE(reader->events, reader->event_count + 1) != 0)
        return -ENOMEM;
    reader->events[reader->event_count++] = *event;
    *ret_event = reader->event_count;
    return 0;
}

static int take_event(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    uint32_t words[3], id;
    int err = id_list__reserve(&file->events, file, number64(statement, 0));
    for (int i = 0; i < 3 && !err; i++)
        err = reader__text(&reader->words, statement, 1 + i, &words[i]);
    if (err)
        return err;
    struct store_event event = {.name = texts__text(&reader->words, words[0]),
                                .unit = texts__text(&reader->words, words[1]),
                                .detail = texts__text(&reader->words, words[2]),
                                .period = number64(statement, 4),
                                .is_histogram = sqlite3_column_int(statement, 5) != 0,
                                .is_doubled = sqlite3_column_int(statement, 5) == 2};
    err = find_event(reader, &event, &id);
    if (!err)
        file->events.ids[number64(statement, 0)] = id;
    return err;
}

static void update_word(const char **known, const char *given)
{
    if (*given || !*known)
        *known = given;
}

static int take_process(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    struct reader_process_key key = {.pid = number32(statement, 1), .start_ns = number64(statement, 2)};
    uint32_t words[4], id;
    bool is_new;
    int err = id_list__reserve(&file->processes, file, number64(statement, 0));
    for (int i = 0; i < 4 && !err; i++)
        err = reader__text(&reader->words, statement, 5 + i, &words[i]);
    if (!err)
        err = GROW(reader->processes, reader->process_capacity, reader->process_keys.count + 1);
    if (!err)
        err = dictionary__intern(&reader->process_keys, &key, &id, &is_new);
    if (err)
        return err;
    struct store_process *process = &reader->processes[id - 1];
    if (is_new)
        *process = (struct store_process){.pid = key.pid, .start_ns = key.start_ns};
    process->parent_pid = number32(statement, 3);
    process->uid = number32(statement, 4);
    update_word(&process->comm, texts__text(&reader->words, words[0]));
    update_word(&process->exe, texts__text(&reader->words, words[1]));
    update_word(&process->cgroup, texts__text(&reader->words, words[2]));
    update_word(&process->container, texts__text(&reader->words, words[3]));
    file->processes.ids[number64(statement, 0)] = id;
    return 0;
}

static int take_thread(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    struct reader_thread_key key = {.process = id_list__at(&file->processes, number64(statement, 1)),
                                    .tid = number32(statement, 2)};
    uint32_t id;
    bool is_new;
    int err = id_list__reserve(&file->threads, file, number64(statement, 0));
    if (!err && !key.process)
        err = -EBADMSG;
    if (!err)
        err = reader__text(&reader->words, statement, 3, &key.comm);
    if (!err)
        err = GROW(reader->threads, reader->thread_capacity, reader->thread_keys.count + 1);
    if (!err)
        err = dictionary__intern(&reader->thread_keys, &key, &id, &is_new);
    if (err)
        return err;
    reader->threads[id - 1] =
        (struct store_thread){.process = key.process, .tid = key.tid, .comm = texts__text(&reader->words, key.comm)};
    file->threads.ids[number64(statement, 0)] = id;
    return 0;
}

static int take_binary(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    struct reader_binary_key key = {.kind = number32(statement, 1)};
    uint32_t id, path;
    bool is_new;
    int err = id_list__reserve(&file->binaries, file, number64(statement, 0));
    if (!err)
        err = reader__text(&reader->words, statement, 3, &path);
    const void *build_id = sqlite3_column_blob(statement, 2);
    size_t build_id_bytes = (size_t)sqlite3_column_bytes(statement, 2);
    if (!err && (build_id_bytes > sizeof(key.build_id) || key.kind >= STORE_BINARY_COUNT))
        err = -EBADMSG;
    if (!err)
        err = GROW(reader->binaries, reader->binary_capacity, reader->binary_keys.count + 1);
    if (err)
        return err;
    if (build_id_bytes)
        memcpy(key.build_id, build_id, build_id_bytes);
    else
        key.path = path;
    key.build_id_bytes = (uint32_t)build_id_bytes;
    key.digest = build_id_bytes && file->has_digests ? number64(statement, 4) : 0;
    err = dictionary__intern(&reader->binary_keys, &key, &id, &is_new);
    if (err)
        return err;
    // The key's bytes may still move: the pointer to the build id is set when all files are read.
    reader->binaries[id - 1] = (struct store_binary){.kind = key.kind,
                                                     .build_id_bytes = build_id_bytes,
                                                     .digest = key.digest,
                                                     .path = texts__text(&reader->words, path)};
    file->binaries.ids[number64(statement, 0)] = id;
    return 0;
}

static int take_has_digests(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    (void)reader;
    file->has_digests = number64(statement, 0) == 1;
    return 0;
}

static int take_range(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    (void)reader;
    if (number64(statement, 0) >= file->id_end)
        return -EBADMSG;
    file->interval_end = number32(statement, 0) + 1;
    file->first_ns = number64(statement, 1);
    return 0;
}

static int take_node_end(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    (void)reader;
    uint64_t end = number64(statement, 0) + number64(statement, 1);
    if (end > file->node_id_end)
        return -EBADMSG;
    file->node_end = (uint32_t)end;
    return 0;
}

static int take_has_costs(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    (void)reader;
    file->has_costs = number64(statement, 0) == 2;
    return 0;
}

static int take_has_sources(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    (void)reader;
    file->has_sources = number64(statement, 0) > 0;
    return 0;
}

static const char rolled_up[] = "SELECT interval, store, first, last, tier_s, start_ns, end_ns FROM source JOIN "
                                "interval ON interval.id = source.interval";

static int take_rolled(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    uint32_t word, owner;
    int err = reader__text(&reader->words, statement, 1, &word);
    if (!err)
        err = texts__intern(&reader->words, file->store_name, SIZE_MAX, &owner);
    if (!err)
        err = GROW(reader->rolled, reader->rolled_capacity, reader->rolled_count + 1);
    if (err || number64(statement, 0) >= file->interval_end) // written since
        return err;
    if (number64(statement, 2) == 0 || number64(statement, 2) > number64(statement, 3) ||
        number64(statement, 3) >= LIMIT_STORE_IDS_MAX)
        return -EBADMSG;
    reader->rolled[reader->rolled_count++] = (struct reader_source){.owner = texts__text(&reader->words, owner),
                                                                    .store = texts__text(&reader->words, word),
                                                                    .own_interval = number32(statement, 0),
                                                                    .first = number32(statement, 2),
                                                                    .last = number32(statement, 3),
                                                                    .tier_s = number32(statement, 4),
                                                                    .start_ns = number64(statement, 5),
                                                                    .end_ns = number64(statement, 6)};
    return 0;
}

static const struct {
    const char *sql;
    const char *what;
    int (*row)(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement);
} tables[] = {
    {"SELECT key, value FROM meta", "the table meta", take_meta},
    {"SELECT max(id), (SELECT start_ns FROM interval ORDER BY id LIMIT 1) FROM interval", "the table interval",
     take_range},
    {"SELECT id, node_count FROM node_pack ORDER BY id DESC LIMIT 1", "the table node_pack", take_node_end},
    {"SELECT id, name, unit, detail, period, is_histogram FROM event", "the table event", take_event},
    {"SELECT id, pid, start_ns, parent_pid, uid, comm, exe, cgroup, container FROM process", "the table process",
     take_process},
    {"SELECT id, process, tid, comm FROM thread", "the table thread", take_thread},
    {"SELECT count(*) FROM pragma_table_info('binary') WHERE name = 'digest'", "the table binary", take_has_digests},
    {"SELECT count(*) FROM pragma_table_info('source')", "the table source", take_has_sources},
    {"SELECT count(*) FROM pragma_table_info('interval') WHERE name IN ('own_map_bytes', 'own_written_bytes')",
     "the table interval", take_has_costs},
};

static const char *binaries_of(const struct reader_file *file)
{
    return file->has_digests ? "SELECT id, kind, build_id, path, digest FROM binary"
                             : "SELECT id, kind, build_id, path FROM binary";
}

static int load_tables(struct store_reader *reader, struct reader_file *file, struct fault *fault)
{
    file->node_end = 1;
    if (file->is_cut)
        reader__note_damage(reader, file, "the end", 0);
    int err = 0;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !err; i++)
        err = reader_file__each(reader, file, tables[i].sql, tables[i].what, tables[i].row, fault);
    if (!err)
        err = reader_file__each(reader, file, binaries_of(file), "the table binary", take_binary, fault);
    if (!err && file->has_sources)
        err = reader_file__each(reader, file, rolled_up, "the table source", take_rolled, fault);
    return err;
}

int reader_dictionaries__load(struct store_reader *reader, struct reader_file *file, struct fault *fault)
{
    return reader_file__in_transaction(reader, file, fault, load_tables);
}
