// The tables of `hearth sql` that are dictionaries of the reader: one row an id.
#include "store/sql/sql_table.h"

#include "store/owner.h"

// Ids from `at` to `last`; what is 0 in a store of ids is never given.
struct dictionary_cursor {
    struct sql_cursor cursor;
    uint64_t at, last;
};

static int begin(struct sql_cursor *base, uint64_t count)
{
    struct dictionary_cursor *cursor = (struct dictionary_cursor *)base;
    cursor->at = base->ask.has_id ? base->ask.id : 1;
    cursor->last = base->ask.has_id && base->ask.id < count ? base->ask.id : count;
    base->at_end = cursor->at == 0 || cursor->at > cursor->last;
    return 0;
}

static int next(struct sql_cursor *base, struct fault *fault)
{
    struct dictionary_cursor *cursor = (struct dictionary_cursor *)base;
    (void)fault;
    base->at_end = ++cursor->at > cursor->last;
    return 0;
}

static uint64_t at(const struct sql_cursor *base)
{
    return ((const struct dictionary_cursor *)base)->at;
}

#define DICTIONARY_TABLE(noun, guess)                                                                                  \
    const struct sql_table sql_##noun = {                                                                              \
        .name = #noun,                                                                                                 \
        .columns = noun##_columns,                                                                                     \
        .rows = (guess),                                                                                               \
        .rows_of_id = 1,                                                                                               \
        .cursor_bytes = sizeof(struct dictionary_cursor),                                                              \
        .begin = noun##_begin,                                                                                         \
        .next = next,                                                                                                  \
        .column = noun##_column,                                                                                       \
    }

static const struct sql_column meta_columns[] = {{"key", "TEXT"}, {"value", "TEXT"}, {0}};

static int meta_begin(struct sql_cursor *base, struct fault *fault)
{
    (void)fault;
    return begin(base, 6);
}

static void meta_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_meta *meta = store_reader__meta(base->reader);
    const char *const rows[6][2] = {{"host", meta->host},       {"kernel", meta->kernel},   {"arch", meta->arch},
                                    {"version", meta->version}, {"command", meta->command}, {"cpu_count", NULL}};
    const char *text = rows[at(base) - 1][column];
    if (text)
        sql_result__text(result, text);
    else
        sql_result__u64(result, meta->cpu_count);
}

DICTIONARY_TABLE(meta, 6);

static const struct sql_column event_columns[] = {
    {"id", "INTEGER", SQL_ID},
    {"name", "TEXT"},
    {"unit", "TEXT"},
    {"detail", "TEXT"},
    {"period", "INTEGER"},
    {"is_histogram", "INTEGER"},
    {0},
};

static int event_begin(struct sql_cursor *base, struct fault *fault)
{
    (void)fault;
    return begin(base, store_reader__event_count(base->reader));
}

static void event_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_event *event = store_reader__event(base->reader, (uint32_t)at(base));
    const char *const texts[] = {NULL, event->name, event->unit, event->detail};
    const uint64_t numbers[] = {at(base), 0, 0, 0, event->period, event->is_doubled ? 2 : event->is_histogram};
    if (column >= 1 && column <= 3)
        sql_result__text(result, texts[column]);
    else
        sql_result__u64(result, numbers[column]);
}

DICTIONARY_TABLE(event, 5);

static const struct sql_column process_columns[] = {
    {"id", "INTEGER", SQL_ID}, {"pid", "INTEGER"},      {"start_ns", "INTEGER"}, {"parent_pid", "INTEGER"},
    {"uid", "INTEGER"},        {"comm", "TEXT"},        {"exe", "TEXT"},         {"cgroup", "TEXT"},
    {"container", "TEXT"},     {"unit", "TEXT HIDDEN"}, {"pod", "TEXT HIDDEN"},  {0},
};

static int process_begin(struct sql_cursor *base, struct fault *fault)
{
    (void)fault;
    return begin(base, store_reader__process_count(base->reader));
}

static void process_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_process *process = store_reader__process(base->reader, (uint32_t)at(base));
    const uint64_t numbers[] = {at(base), process->pid, process->start_ns, process->parent_pid, process->uid};
    struct owner owner;
    owner__of(process->cgroup, &owner);
    const char *const texts[] = {process->comm, process->exe, process->cgroup, process->container};
    const char *const owners[] = {owner.unit, owner.pod}; // derived: not in the file
    if (column < 5)
        sql_result__u64(result, numbers[column]);
    else if (column < 9)
        sql_result__text(result, texts[column - 5]);
    else
        sqlite3_result_text(result, owners[column - 9], -1, SQLITE_TRANSIENT);
}

DICTIONARY_TABLE(process, 5000);

static const struct sql_column thread_columns[] = {
    {"id", "INTEGER", SQL_ID}, {"process", "INTEGER"}, {"tid", "INTEGER"}, {"comm", "TEXT"}, {0}};

static int thread_begin(struct sql_cursor *base, struct fault *fault)
{
    (void)fault;
    return begin(base, store_reader__thread_count(base->reader));
}

static void thread_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_thread *thread = store_reader__thread(base->reader, (uint32_t)at(base));
    const uint64_t numbers[] = {at(base), thread->process, thread->tid};
    if (column < 3)
        sql_result__u64(result, numbers[column]);
    else
        sql_result__text(result, thread->comm);
}

DICTIONARY_TABLE(thread, 10000);

static const struct sql_column binary_columns[] = {
    {"id", "INTEGER", SQL_ID}, {"kind", "INTEGER"}, {"build_id", "BLOB"}, {"path", "TEXT"}, {0}};

static int binary_begin(struct sql_cursor *base, struct fault *fault)
{
    (void)fault;
    return begin(base, store_reader__binary_count(base->reader));
}

static void binary_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_binary *binary = store_reader__binary(base->reader, (uint32_t)at(base));
    if (column == 0)
        sql_result__u64(result, at(base));
    else if (column == 1)
        sql_result__u64(result, binary->kind);
    else if (column == 3)
        sql_result__text(result, binary->path);
    else if (binary->build_id)
        sqlite3_result_blob(result, binary->build_id, (int)binary->build_id_bytes, SQLITE_STATIC);
}

DICTIONARY_TABLE(binary, 1000);

static const struct sql_column function_columns[] = {{"id", "INTEGER", SQL_ID}, {"name", "TEXT"}, {0}};

static int function_begin(struct sql_cursor *base, struct fault *fault)
{
    int err = reader_frames__load(base->reader, fault);
    return err ? err : begin(base, base->reader->functions.count);
}

static void function_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    if (column == 0)
        sql_result__u64(result, at(base));
    else
        sql_result__text(result, texts__text(&base->reader->functions, (uint32_t)at(base)));
}

DICTIONARY_TABLE(function, 50000);

static const struct sql_column file_columns[] = {{"id", "INTEGER", SQL_ID}, {"path", "TEXT"}, {0}};

static int file_begin(struct sql_cursor *base, struct fault *fault)
{
    int err = reader_frames__load(base->reader, fault);
    return err ? err : begin(base, base->reader->sources.count);
}

static void file_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    if (column == 0)
        sql_result__u64(result, at(base));
    else
        sql_result__text(result, texts__text(&base->reader->sources, (uint32_t)at(base)));
}

DICTIONARY_TABLE(file, 5000);

static const struct sql_column frame_columns[] = {
    {"id", "INTEGER", SQL_ID}, {"binary", "INTEGER"}, {"offset", "INTEGER"}, {0}};

static int frame_begin(struct sql_cursor *base, struct fault *fault)
{
    int err = reader_frames__load(base->reader, fault);
    return err ? err : begin(base, store_reader__frame_count(base->reader));
}

static void frame_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    const struct store_frame *frame = store_reader__frame(base->reader, (uint32_t)at(base));
    const uint64_t numbers[] = {at(base), frame->binary, frame->offset};
    sql_result__u64(result, numbers[column]);
}

DICTIONARY_TABLE(frame, 200000);

// A row a line of a frame's chain.
struct line_cursor {
    struct dictionary_cursor dictionary;
    size_t depth;
};

static const struct sql_column frame_line_columns[] = {
    {"frame", "INTEGER", SQL_ID}, {"depth", "INTEGER"}, {"function", "INTEGER"},
    {"file", "INTEGER"},          {"line", "INTEGER"},  {0},
};

static const struct store_frame *frame_of(const struct sql_cursor *base)
{
    return store_reader__frame(base->reader, (uint32_t)at(base));
}

// Past frames without (more) lines.
static void skip_empty(struct sql_cursor *base)
{
    struct line_cursor *cursor = (struct line_cursor *)base;
    while (!base->at_end && cursor->depth >= frame_of(base)->chain_length) {
        cursor->depth = 0;
        base->at_end = ++cursor->dictionary.at > cursor->dictionary.last;
    }
}

static int frame_line_begin(struct sql_cursor *base, struct fault *fault)
{
    int err = frame_begin(base, fault);
    if (!err)
        skip_empty(base);
    return err;
}

static int frame_line_next(struct sql_cursor *base, struct fault *fault)
{
    (void)fault;
    ((struct line_cursor *)base)->depth++;
    skip_empty(base);
    return 0;
}

// The id of a text that is kept already.
static uint64_t id_of(struct texts *texts, const char *text)
{
    uint32_t id;
    return texts__intern(texts, text, SIZE_MAX, &id) ? 0 : id;
}

static void frame_line_column(struct sql_cursor *base, sqlite3_context *result, int column)
{
    size_t depth = ((struct line_cursor *)base)->depth;
    const struct store_line *line = &frame_of(base)->chain[depth];
    if (column == 0)
        sql_result__u64(result, at(base));
    else if (column == 1)
        sql_result__u64(result, depth);
    else if (column == 2)
        sql_result__u64(result, id_of(&base->reader->functions, line->function));
    else if (column == 4)
        sql_result__u64(result, line->line);
    else if (*line->file)
        sql_result__u64(result, id_of(&base->reader->sources, line->file));
}

const struct sql_table sql_frame_line = {
    .name = "frame_line",
    .columns = frame_line_columns,
    .rows = 300000,
    .rows_of_id = 2,
    .cursor_bytes = sizeof(struct line_cursor),
    .begin = frame_line_begin,
    .next = frame_line_next,
    .column = frame_line_column,
};
