// One file of a store: its connection and its dictionaries.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/limits.h"
#include "store/reader_insides.h"
#include "store/schema.h"

int id_list__reserve(struct id_list *list, const struct reader_file *file, uint64_t id)
{
    if (id == 0 || id >= file->id_end)
        return -EBADMSG;
    if (id < list->count)
        return 0;
    // Ids come in order, one at a time: doubled, so that it stays linear.
    uint64_t count = id >= 2 * (uint64_t)list->count ? id + 1 : 2 * (uint64_t)list->count;
    uint32_t *ids = reallocarray(list->ids, count, sizeof(*ids));
    if (!ids)
        return -ENOMEM;
    memset(ids + list->count, 0, (count - list->count) * sizeof(*ids));
    list->ids = ids;
    list->count = (uint32_t)count;
    return 0;
}

// Makes room for one more at the end of an array.
static int reserve(void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    if (count < *capacity)
        return 0;
    uint32_t grown_capacity = *capacity ? *capacity * 2 : 64;
    void *grown = reallocarray(*(void **)array, grown_capacity, size);
    if (!grown)
        return -ENOMEM;
    *(void **)array = grown;
    *capacity = grown_capacity;
    return 0;
}

int reader__text(struct texts *texts, sqlite3_stmt *statement, int column, uint32_t *ret_id)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return texts__intern(texts, text ? text : "", (size_t)sqlite3_column_bytes(statement, column), ret_id);
}

static uint32_t number32(sqlite3_stmt *statement, int column)
{
    return (uint32_t)sqlite3_column_int64(statement, column);
}

static uint64_t number64(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

int reader_file__each(struct store_reader *reader, struct reader_file *file, const char *sql, const char *what,
                      int (*row)(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement),
                      struct fault *fault)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    int err = database__prepare(file->database, sql, &statement);
    for (bool has_row = true; !err && has_row;) {
        err = database__step(statement, &has_row);
        if (!err && has_row)
            err = row(reader, file, statement);
    }
    if (err == -EBADMSG) {
        reader__note_damage(reader, file, what, 0);
        return 0;
    }
    if (err && database__errno(file->database) == err)
        return database__fail(file->database, "read", file->path, fault);
    return err ? fault__set(fault, err, "cannot read the store '%s': %s", file->path, strerror(-err)) : 0;
}

static int get_number(sqlite3 *database, const char *sql, uint64_t *ret_number)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool has_row = false;
    int err = database__prepare(database, sql, &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (!err)
        *ret_number = has_row ? number64(statement, 0) : 0;
    return err;
}

static int refuse_foreign(const struct reader_file *file, uint64_t pages, struct fault *fault)
{
    const char *why = pages ? "it is a SQLite file, but not a hearth store" : "it is empty";
    return fault__set(fault, -EBADMSG, "cannot read the store '%s': %s", file->path, why);
}

static uint32_t at_most(uint64_t ids)
{
    return ids < LIMIT_STORE_IDS_MAX ? (uint32_t)ids : LIMIT_STORE_IDS_MAX;
}

static int check(struct reader_file *file, struct fault *fault)
{
    uint64_t application = 0, version = 0, pages = 0, page_bytes = 0;
    int err = get_number(file->database, "PRAGMA application_id", &application);
    if (!err)
        err = get_number(file->database, "PRAGMA user_version", &version);
    if (!err)
        err = get_number(file->database, "PRAGMA page_count", &pages);
    if (!err)
        err = get_number(file->database, "PRAGMA page_size", &page_bytes);
    if (err)
        return database__fail(file->database, "read", file->path, fault);
    if (application != SCHEMA_APPLICATION_ID)
        return refuse_foreign(file, pages, fault);
    file->id_end = at_most(LIMIT_STORE_IDS(pages * page_bytes));
    file->node_id_end = at_most(LIMIT_STORE_NODE_IDS(pages * page_bytes));
    if (version > SCHEMA_VERSION)
        return fault__set(
            fault, -EPROTO,
            "cannot read the store '%s': a newer hearth made it (version %llu, this one reads %d); use that one",
            file->path, (unsigned long long)version, SCHEMA_VERSION);
    if (version == 0)
        return fault__set(fault, -EBADMSG,
                          "cannot read the store '%s': its recording ended before it began, nothing is in it",
                          file->path);
    return 0;
}

static int get_name(struct reader_file *file, char **ret_name)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool has_row = false;
    int err = database__prepare(file->database, "SELECT value FROM meta WHERE key = 'store'", &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (err)
        return err;
    const char *name = has_row ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    char *copy = name ? strdup(name) : NULL;
    if (!copy)
        return name ? -ENOMEM : -EBADMSG;
    *ret_name = copy;
    return 0;
}

static int check_same(struct reader_file *file, struct fault *fault)
{
    _cleanup_free_ char *name = NULL;
    int err = get_name(file, &name);
    if (err)
        return database__fail(file->database, "read", file->path, fault);
    if (file->store_name && strcmp(file->store_name, name) != 0)
        return fault__set(fault, -ESTALE, "the store '%s' was replaced while it was read; ask again", file->path);
    if (!file->store_name)
        file->store_name = take_pointer(name);
    return 0;
}

int reader_file__hold(struct reader_file *file, struct fault *fault)
{
    if (file->holds == 0) {
        int err = database__open_to_read(file->path, fault, &file->database, &file->is_cut);
        if (!err)
            err = check(file, fault);
        if (!err)
            err = check_same(file, fault);
        if (err) {
            sqlite3_close_v2(take_pointer(file->database));
            return err;
        }
    }
    file->holds++;
    return 0;
}

void reader_file__release(struct reader_file *file)
{
    if (--file->holds == 0)
        sqlite3_close_v2(take_pointer(file->database));
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

static int find_event(struct store_reader *reader, const struct store_event *event, uint32_t *ret_event)
{
    for (uint32_t i = 0; i < reader->event_count; i++) {
        struct store_event *known = &reader->events[i];
        if (known->name == event->name && known->unit == event->unit && known->is_histogram == event->is_histogram) {
            *ret_event = i + 1;
            return 0;
        }
    }
    struct store_event *events = reallocarray(reader->events, reader->event_count + 1, sizeof(*events));
    if (!events)
        return -ENOMEM;
    reader->events = events;
    events[reader->event_count++] = *event;
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
                                .is_histogram = sqlite3_column_int(statement, 5) != 0};
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
        err = reserve(&reader->processes, &reader->process_capacity, reader->process_keys.count,
                      sizeof(*reader->processes));
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
        err = reserve(&reader->threads, &reader->thread_capacity, reader->thread_keys.count, sizeof(*reader->threads));
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
    if (!err && (build_id_bytes > sizeof(key.build_id) || key.kind > STORE_BINARY_VDSO))
        err = -EBADMSG;
    if (!err)
        err =
            reserve(&reader->binaries, &reader->binary_capacity, reader->binary_keys.count, sizeof(*reader->binaries));
    if (err)
        return err;
    if (build_id_bytes)
        memcpy(key.build_id, build_id, build_id_bytes);
    else
        key.path = path;
    key.build_id_bytes = (uint32_t)build_id_bytes;
    err = dictionary__intern(&reader->binary_keys, &key, &id, &is_new);
    if (err)
        return err;
    // The key's bytes may still move: the pointer to the build id is set when all files are read.
    reader->binaries[id - 1] = (struct store_binary){
        .kind = key.kind, .build_id_bytes = build_id_bytes, .path = texts__text(&reader->words, path)};
    file->binaries.ids[number64(statement, 0)] = id;
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
    {"SELECT id, kind, build_id, path FROM binary", "the table binary", take_binary},
};

int reader_file__load(struct store_reader *reader, struct reader_file *file, struct fault *fault)
{
    int err = reader_file__hold(file, fault);
    if (err)
        return err;
    file->node_end = 1;
    if (file->is_cut)
        reader__note_damage(reader, file, "the end", 0);
    err = database__run(file->database, "BEGIN");
    if (err)
        err = database__fail(file->database, "read", file->path, fault);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !err; i++)
        err = reader_file__each(reader, file, tables[i].sql, tables[i].what, tables[i].row, fault);
    reader_file__release(file); // and ends the transaction
    return err;
}

void reader_file__free(struct reader_file *file)
{
    struct id_list *lists[] = {&file->events,    &file->processes, &file->threads, &file->binaries,
                               &file->functions, &file->files,     &file->frames,  &file->nodes};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        free(lists[i]->ids);
    sqlite3_close_v2(file->database);
    free(file->store_name);
    free(file->path);
}
