#include "store/reader/reader_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/bucket.h"
#include "store/base/grow.h"
#include "store/reader/reader_histogram.h"

enum { LIST, LOSS, PACK, TOTAL_OF, TOTAL, PROCESS_TOTAL, HISTOGRAM, STATEMENT_COUNT };

#define LIST_TEXT(costs)                                                                                               \
    "SELECT id, tier_s, start_ns, end_ns, own_cpu_ns, own_bpf_ns, own_rss_bytes, " costs                               \
    " FROM interval WHERE id >= ?1 AND id < ?2 AND start_ns < ?3 AND (end_ns > ?4 OR start_ns >= ?4) "                 \
    "ORDER BY start_ns, id"

static const char *const texts[STATEMENT_COUNT] = {
    [LIST] = LIST_TEXT("own_map_bytes, own_written_bytes"),
    [LOSS] = "SELECT name, count FROM loss WHERE interval = ? ORDER BY name",
    [PACK] = "SELECT id, data FROM value_pack WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1",
    [TOTAL_OF] = "SELECT samples FROM total WHERE interval = ? AND event = ?",
    [TOTAL] = "SELECT event, samples, value FROM total WHERE interval = ? ORDER BY event",
    [PROCESS_TOTAL] =
        "SELECT event, samples, value, process FROM process_total WHERE interval = ? ORDER BY event, process",
    [HISTOGRAM] = READER_HISTOGRAM_ROWS,
};

struct reader_walk {
    struct store_reader *reader;
    struct store_query query;
    uint32_t only_interval;
    uint8_t *threads; // by the reader's id: this thread is asked for; NULL: all are
    uint8_t *hidden;  // by the reader's id of an interval: it is given by others; NULL: none is
    struct packer *packer;

    struct reader_file *file; // held; NULL: none yet
    size_t file_index;        // of the next one
    sqlite3_stmt *statements[STATEMENT_COUNT];
    bool is_begun[STATEMENT_COUNT]; // the rows of this interval are being read
    struct store_interval_row *intervals;
    size_t interval_count, interval_capacity, interval_index;

    struct store_interval_row row;
    uint64_t own_id; // the file's id of the interval
    uint64_t next_pack;
    uint64_t rows_left; // of LIMIT_STORE_ROWS
    struct store_loss *losses;
    size_t loss_capacity;
    struct store_histogram histogram;
    uint64_t counts[BUCKETS_TOTAL];
};

DEFINE_CLEANUP(struct reader_walk *, reader_walk__free);

static uint64_t number(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

int reader_walk__new(struct store_reader *reader, const struct store_query *query, uint32_t only_interval,
                     struct fault *fault, struct reader_walk **ret_walk)
{
    _cleanup_(reader_walk__freep) struct reader_walk *walk = calloc(1, sizeof(*walk));
    if (!walk)
        return fault__set(fault, -ENOMEM, "out of memory");
    walk->reader = reader;
    walk->query = *query;
    walk->only_interval = only_interval;
    int err = reader_choice__threads(reader, query, &walk->threads);
    if (!err)
        err = reader_cover__hidden(reader, query, &walk->hidden);
    if (!err)
        err = packer__new(&walk->packer);
    if (err)
        return fault__set(fault, err, "out of memory");
    *ret_walk = take_pointer(walk);
    return 0;
}

static void end_file(struct reader_walk *walk)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(take_pointer(walk->statements[i]));
    memset(walk->is_begun, 0, sizeof(walk->is_begun));
    if (walk->file)
        reader_file__release(walk->file);
    walk->file = NULL;
    walk->interval_count = walk->interval_index = 0;
}

void reader_walk__free(struct reader_walk *walk)
{
    if (!walk)
        return;
    end_file(walk);
    packer__free(walk->packer);
    free(walk->threads);
    free(walk->hidden);
    free(walk->intervals);
    free(walk->losses);
    free(walk);
}

// Damage is noted and passed over, everything else ends the walk.
static int forgive(struct reader_walk *walk, int err, const char *what, struct fault *fault)
{
    if (err == -EBADMSG) {
        reader__note_damage(walk->reader, walk->file, what, 0);
        return 0;
    }
    if (err && database__errno(walk->file->database) == err)
        return database__fail(walk->file->database, "read", walk->file->path, fault);
    return err ? fault__set(fault, err, "cannot read the store '%s': %s", walk->file->path, strerror(-err)) : 0;
}

static int add_interval(struct reader_walk *walk, sqlite3_stmt *list)
{
    if (walk->hidden && walk->hidden[walk->file->interval_base + number(list, 0)])
        return 0;
    if (GROW(walk->intervals, walk->interval_capacity, walk->interval_count + 1) != 0)
        return -ENOMEM;
    walk->intervals[walk->interval_count++] =
        (struct store_interval_row){.id = (uint32_t)number(list, 0), // the file's own, until it is given away
                                    .tier_s = (uint32_t)number(list, 1),
                                    .interval = {.start_ns = number(list, 2),
                                                 .end_ns = number(list, 3),
                                                 .own_cpu_ns = number(list, 4),
                                                 .own_bpf_ns = number(list, 5),
                                                 .own_rss_bytes = number(list, 6),
                                                 .own_map_bytes = number(list, 7),
                                                 .own_written_bytes = number(list, 8)}};
    return 0;
}

static sqlite3_int64 as_signed(uint64_t ns)
{
    return ns > INT64_MAX ? INT64_MAX : (sqlite3_int64)ns;
}

// Which of the file's own ids are asked for.
static void bind_ids(const struct reader_walk *walk, sqlite3_stmt *list)
{
    uint32_t first = 1, end = walk->file->interval_end;
    if (walk->only_interval) {
        bool is_here =
            walk->only_interval > walk->file->interval_base && walk->only_interval - walk->file->interval_base < end;
        first = is_here ? walk->only_interval - walk->file->interval_base : end;
        end = is_here ? first + 1 : end;
    }
    sqlite3_bind_int64(list, 1, first);
    sqlite3_bind_int64(list, 2, end);
}

static int list_intervals(struct reader_walk *walk, struct fault *fault)
{
    sqlite3_stmt *list = walk->statements[LIST];
    bind_ids(walk, list);
    sqlite3_bind_int64(list, 3, as_signed(walk->query.until_ns ? walk->query.until_ns : UINT64_MAX));
    sqlite3_bind_int64(list, 4, as_signed(walk->query.since_ns));
    for (bool has_row = true;;) {
        int err = database__step(list, &has_row);
        if (!err && has_row)
            err = add_interval(walk, list);
        if (err || !has_row)
            return forgive(walk, err, "the table interval", fault);
    }
}

static const char *text_of(const struct reader_file *file, size_t which)
{
    return which == LIST && !file->has_costs ? LIST_TEXT("0, 0") : texts[which];
}

static int begin_file(struct reader_walk *walk, struct fault *fault)
{
    struct reader_file *file = &walk->reader->files[walk->file_index++];
    int err = reader_file__hold(file, fault);
    if (err)
        return err;
    walk->file = file;
    walk->rows_left = file->rows_most;
    for (size_t i = 0; i < STATEMENT_COUNT && !err; i++)
        err = database__prepare(file->database, text_of(file, i), &walk->statements[i]);
    if (err)
        return database__fail(file->database, "read", file->path, fault);
    return list_intervals(walk, fault);
}

static int read_losses(struct reader_walk *walk, size_t *count)
{
    sqlite3_stmt *loss = walk->statements[LOSS];
    *count = 0;
    sqlite3_bind_int64(loss, 1, (sqlite3_int64)walk->own_id);
    for (bool has_row = true;;) {
        int err = database__step(loss, &has_row);
        if (err || !has_row)
            return err;
        if (*count == walk->loss_capacity) {
            if (RESIZE(walk->losses, *count + 16) != 0)
                return -ENOMEM;
            walk->loss_capacity = *count + 16;
        }
        uint32_t word;
        err = reader__text(&walk->reader->words, loss, 0, &word);
        if (err)
            return err;
        walk->losses[*count] =
            (struct store_loss){.name = texts__text(&walk->reader->words, word), .count = number(loss, 1)};
        (*count)++;
    }
}

static void reset_rows(struct reader_walk *walk)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (walk->is_begun[i])
            sqlite3_reset(walk->statements[i]);
    memset(walk->is_begun, 0, sizeof(walk->is_begun));
}

int reader_walk__next(struct reader_walk *walk, struct fault *fault, const struct store_interval_row **ret_row)
{
    reset_rows(walk);
    while (walk->interval_index == walk->interval_count) {
        end_file(walk);
        if (walk->file_index == walk->reader->file_count) {
            *ret_row = NULL;
            return 0;
        }
        int err = begin_file(walk, fault);
        if (err)
            return err;
    }
    walk->row = walk->intervals[walk->interval_index++];
    walk->own_id = walk->row.id;
    walk->next_pack = walk->own_id << 16;
    size_t loss_count;
    int err = forgive(walk, read_losses(walk, &loss_count), "the table loss", fault);
    if (err)
        return err;
    walk->row.store = walk->file->store_name;
    walk->row.own_id = walk->row.id;
    walk->row.id += walk->file->interval_base;
    walk->row.interval.losses = walk->losses;
    walk->row.interval.loss_count = loss_count;
    *ret_row = &walk->row;
    return 0;
}

static void note_lost_pack(struct reader_walk *walk, uint64_t event)
{
    sqlite3_stmt *total = walk->statements[TOTAL_OF];
    bool has_row = false;
    sqlite3_bind_int64(total, 1, (sqlite3_int64)walk->own_id);
    sqlite3_bind_int64(total, 2, (sqlite3_int64)event);
    uint64_t samples = database__step(total, &has_row) == 0 && has_row ? number(total, 0) : 0;
    sqlite3_reset(total);
    reader__note_damage(walk->reader, walk->file, "a block of values", samples);
}

// From the file's ids to the reader's. -ENOENT: it refers to what is not there.
static int translate(const struct reader_walk *walk, struct store_value *value)
{
    value->thread = id_list__at(&walk->file->threads, value->thread);
    if (!value->thread || value->node >= walk->file->node_end)
        return -ENOENT;
    if (walk->file->own_parents)
        return reader_trie__join(walk->reader, walk->file, value->node, &value->node);
    if (reader__joins_stacks(walk->reader))
        value->node = id_list__at(&walk->file->nodes, value->node);
    return 0;
}

static bool is_in_range(const struct store_query *query, uint16_t bucket)
{
    if (!bucket)
        return false;
    uint32_t rank = bucket__rank(bucket - 1u);
    return rank >= bucket__rank(query->bucket_first) && rank <= bucket__rank(query->bucket_last);
}

// Leaves the values that are asked for.
static int choose(struct reader_walk *walk, struct store_value *values, size_t *count)
{
    const struct store_query *query = &walk->query;
    uint64_t strays = 0;
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        struct store_value value = values[i];
        int err = translate(walk, &value);
        if (err && err != -ENOENT)
            return err;
        if (err) {
            strays += value.count;
            continue;
        }
        if (walk->threads && !walk->threads[value.thread])
            continue;
        if (query->has_buckets && !is_in_range(query, value.bucket))
            continue;
        values[kept++] = value;
    }
    if (strays)
        reader__note_damage(walk->reader, walk->file, "values without their thread or stack", strays);
    *count = kept;
    return 0;
}

// The values of the pack that the statement stands at. -EBADMSG: damaged.
static int unpack(struct reader_walk *walk, uint32_t event, struct store_value **ret_values, size_t *ret_count)
{
    sqlite3_stmt *pack = walk->statements[PACK];
    const void *blob = sqlite3_column_blob(pack, 1);
    size_t blob_bytes = (size_t)sqlite3_column_bytes(pack, 1);
    uint64_t rows = pack__claimed_rows(blob, blob_bytes);
    if (!event || rows > walk->rows_left)
        return -EBADMSG;
    walk->rows_left -= rows;
    return packer__unpack_values(walk->packer, blob, blob_bytes, event, ret_values, ret_count);
}

// The pack from walk->next_pack on; a damaged one is noted and gives no values. ret_has: there was one.
static int read_pack(struct reader_walk *walk, struct fault *fault, struct store_value **ret_values, size_t *ret_count,
                     bool *ret_has)
{
    sqlite3_stmt *pack = walk->statements[PACK];
    *ret_count = 0;
    *ret_has = false;
    sqlite3_bind_int64(pack, 1, (sqlite3_int64)walk->next_pack);
    sqlite3_bind_int64(pack, 2, (sqlite3_int64)(walk->own_id << 16 | 0xffff));
    int err = database__step(pack, ret_has);
    if (err || !*ret_has)
        return forgive(walk, err, "the table value_pack", fault);
    uint64_t id = number(pack, 0);
    if (id < walk->next_pack) { // in a damaged tree keys have no order: never go round in circles
        sqlite3_reset(pack);
        *ret_has = false;
        return forgive(walk, -EBADMSG, "the table value_pack", fault);
    }
    uint32_t event = id_list__at(&walk->file->events, id & 0xffff);
    walk->next_pack = id + 1;
    if (!walk->query.event || walk->query.event == event)
        err = unpack(walk, event, ret_values, ret_count);
    sqlite3_reset(pack);
    if (err == -EBADMSG) {
        *ret_count = 0;
        note_lost_pack(walk, id & 0xffff);
        return 0;
    }
    return forgive(walk, err, "", fault);
}

// The nodes of several files are joined before the first value is given: those of all of them, or, where the trie is
// asked for later, each when a value has it.
static int join_stacks(struct reader_walk *walk, struct fault *fault)
{
    struct store_reader *reader = walk->reader;
    if (!reader__joins_stacks(reader) || reader->has_trie)
        return 0;
    return reader->has_twins ? reader_trie__load_of(reader, walk->file, fault) : reader_trie__load(reader, fault);
}

int reader_walk__values(struct reader_walk *walk, struct fault *fault, const struct store_value **ret_values,
                        size_t *ret_count)
{
    int err = join_stacks(walk, fault);
    struct store_value *values = NULL;
    size_t count = 0;
    for (bool has_pack = true; !err && has_pack && count == 0;) {
        err = read_pack(walk, fault, &values, &count, &has_pack);
        if (!err && count)
            err = forgive(walk, choose(walk, values, &count), "", fault);
    }
    if (err)
        return err;
    *ret_values = values;
    *ret_count = count;
    return 0;
}

// The next row of this interval of a statement whose parameter is the interval.
static int next_row(struct reader_walk *walk, int which, bool *ret_has_row)
{
    if (!walk->is_begun[which])
        sqlite3_bind_int64(walk->statements[which], 1, (sqlite3_int64)walk->own_id);
    int err = database__step(walk->statements[which], ret_has_row);
    walk->is_begun[which] = !err && *ret_has_row;
    return err;
}

static int read_histogram(struct reader_walk *walk)
{
    sqlite3_stmt *statement = walk->statements[HISTOGRAM];
    uint32_t event = id_list__at(&walk->file->events, number(statement, 0));
    walk->histogram.event = event;
    return event ? reader_histogram__read(walk->reader, walk->packer, statement, walk->counts, &walk->histogram)
                 : -EBADMSG;
}

int reader_walk__histogram(struct reader_walk *walk, struct fault *fault, const struct store_histogram **ret_histogram)
{
    for (;;) {
        bool has_row = false;
        int err = forgive(walk, next_row(walk, HISTOGRAM, &has_row), "the table histogram_total", fault);
        if (err)
            return err;
        if (!has_row) {
            *ret_histogram = NULL;
            return 0;
        }
        uint32_t event = id_list__at(&walk->file->events, number(walk->statements[HISTOGRAM], 0));
        if (walk->query.event && walk->query.event != event)
            continue;
        err = read_histogram(walk);
        if (!err) {
            *ret_histogram = &walk->histogram;
            return 0;
        }
        err = forgive(walk, err, "a histogram", fault);
        if (err)
            return err;
    }
}

static int read_sum(struct reader_walk *walk, int which, struct fault *fault, struct reader_sum *ret_sum, bool *ret_has)
{
    sqlite3_stmt *statement = walk->statements[which];
    for (;;) {
        bool has_row = false;
        int err = forgive(walk, next_row(walk, which, &has_row), "a table of totals", fault);
        if (err)
            return err;
        uint32_t event = has_row ? id_list__at(&walk->file->events, number(statement, 0)) : 0;
        if (has_row && walk->query.event && walk->query.event != event)
            continue;
        *ret_has = has_row;
        if (has_row)
            *ret_sum = (struct reader_sum){
                .event = event,
                .process = which == PROCESS_TOTAL ? id_list__at(&walk->file->processes, number(statement, 3)) : 0,
                .samples = number(statement, 1),
                .value = number(statement, 2)};
        return 0;
    }
}

int reader_walk__total(struct reader_walk *walk, struct fault *fault, struct reader_sum *ret_sum, bool *ret_has)
{
    return read_sum(walk, TOTAL, fault, ret_sum, ret_has);
}

int reader_walk__process_total(struct reader_walk *walk, struct fault *fault, struct reader_sum *ret_sum, bool *ret_has)
{
    return read_sum(walk, PROCESS_TOTAL, fault, ret_sum, ret_has);
}
