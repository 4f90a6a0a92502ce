// Walking the intervals of a range. The intervals are listed in one short transaction; each block of values is then
// read in one of its own and unpacked, and only then given away: a slow caller never holds a transaction open.
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/bucket.h"
#include "store/reader_insides.h"

struct walk {
    struct store_reader *reader;
    const struct store_query *query;
    struct fault *fault;
    void *context;
    int (*interval_row)(const struct store_interval_row *interval, void *context);
    int (*value_row)(const struct store_interval_row *interval, const struct store_value *value, void *context);
    int (*histogram_row)(const struct store_interval_row *interval, const struct store_histogram *histogram,
                         void *context);
    uint8_t *threads; // by the reader's id: this thread is asked for; NULL: all are

    struct reader_file *file;
    struct store_interval_row *intervals;
    size_t interval_count, interval_capacity;
    struct store_loss *losses;
    size_t loss_capacity;
    sqlite3_stmt *list, *loss, *pack, *total, *histogram;
};

static void walk__release(struct walk *walk)
{
    free(walk->threads);
    free(walk->intervals);
    free(walk->losses);
}

static void end_file(struct walk *walk)
{
    sqlite3_stmt **statements[] = {&walk->list, &walk->loss, &walk->pack, &walk->total, &walk->histogram};
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        sqlite3_finalize(take_pointer(*statements[i]));
    reader_file__release(walk->file);
    walk->interval_count = 0;
}

static uint64_t number(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static bool contains(const uint32_t *numbers, size_t count, uint32_t wanted)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == wanted)
            return true;
    return count == 0;
}

static bool is_below(const char *cgroup, const char *root)
{
    cgroup += strspn(cgroup, "/");
    root += strspn(root, "/");
    size_t length = strlen(root);
    while (length > 0 && root[length - 1] == '/')
        length--;
    return strncmp(cgroup, root, length) == 0 && (length == 0 || cgroup[length] == '/' || !cgroup[length]);
}

static bool is_asked_for(const struct store_reader *reader, const struct store_query *query,
                         const struct store_thread *thread)
{
    const struct store_process *process = store_reader__process(reader, thread->process);
    return contains(query->pids, query->pid_count, process->pid) &&
           contains(query->tids, query->tid_count, thread->tid) && (!query->has_uid || process->uid == query->uid) &&
           (!query->comm || fnmatch(query->comm, thread->comm, 0) == 0) &&
           (!query->cgroup || is_below(process->cgroup, query->cgroup));
}

static int choose_threads(struct walk *walk)
{
    const struct store_query *query = walk->query;
    if (!query->pid_count && !query->tid_count && !query->comm && !query->cgroup && !query->has_uid)
        return 0;
    uint32_t count = store_reader__thread_count(walk->reader);
    walk->threads = calloc((size_t)count + 1, 1);
    if (!walk->threads)
        return fault__set(walk->fault, -ENOMEM, "out of memory");
    for (uint32_t i = 1; i <= count; i++)
        walk->threads[i] = is_asked_for(walk->reader, query, store_reader__thread(walk->reader, i));
    return 0;
}

static int add_interval(struct walk *walk)
{
    if (walk->interval_count == walk->interval_capacity) {
        size_t capacity = walk->interval_capacity ? walk->interval_capacity * 2 : 64;
        struct store_interval_row *grown = reallocarray(walk->intervals, capacity, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        walk->intervals = grown;
        walk->interval_capacity = capacity;
    }
    walk->intervals[walk->interval_count++] =
        (struct store_interval_row){.id = (uint32_t)number(walk->list, 0), // the file's own, until it is given away
                                    .tier_s = (uint32_t)number(walk->list, 1),
                                    .interval = {.start_ns = number(walk->list, 2),
                                                 .end_ns = number(walk->list, 3),
                                                 .own_cpu_ns = number(walk->list, 4),
                                                 .own_bpf_ns = number(walk->list, 5),
                                                 .own_rss_bytes = number(walk->list, 6)}};
    return 0;
}

// An SQLite failure: damage is noted and passed over, everything else ends the walk.
static int forgive(struct walk *walk, int err, const char *what)
{
    if (err == -EBADMSG) {
        reader__note_damage(walk->reader, walk->file, what, 0);
        return 0;
    }
    return err ? database__fail(walk->file->database, "read", walk->file->path, walk->fault) : 0;
}

static int list_intervals(struct walk *walk)
{
    uint64_t until_ns = walk->query->until_ns ? walk->query->until_ns : INT64_MAX;
    sqlite3_bind_int64(walk->list, 1, walk->file->interval_end);
    sqlite3_bind_int64(walk->list, 2, (sqlite3_int64)(until_ns > INT64_MAX ? INT64_MAX : until_ns));
    sqlite3_bind_int64(walk->list, 3,
                       (sqlite3_int64)(walk->query->since_ns > INT64_MAX ? INT64_MAX : walk->query->since_ns));
    for (bool has_row = true;;) {
        int err = database__step(walk->list, &has_row);
        if (err || !has_row)
            return forgive(walk, err, "the table interval");
        err = add_interval(walk);
        if (err)
            return fault__set(walk->fault, err, "out of memory");
    }
}

static const char list_sql[] =
    "SELECT id, tier_s, start_ns, end_ns, own_cpu_ns, own_bpf_ns, own_rss_bytes FROM interval "
    "WHERE id < ?1 AND start_ns < ?2 AND (end_ns > ?3 OR start_ns >= ?3) "
    "ORDER BY start_ns, id";

static int begin_file(struct walk *walk, struct reader_file *file)
{
    int err = reader_file__hold(file, walk->fault);
    if (err)
        return err;
    walk->file = file;
    const struct {
        const char *sql;
        sqlite3_stmt **statement;
    } statements[] = {
        {list_sql, &walk->list},
        {"SELECT name, count FROM loss WHERE interval = ? ORDER BY name", &walk->loss},
        {"SELECT id, data FROM value_pack WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1", &walk->pack},
        {"SELECT samples FROM total WHERE interval = ? AND event = ?", &walk->total},
        {"SELECT event, key, sum, min, max, unmatched, data FROM histogram_total WHERE interval = ? ORDER BY event, "
         "key",
         &walk->histogram},
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]) && !err; i++)
        err = database__prepare(file->database, statements[i].sql, statements[i].statement);
    err = err ? database__fail(file->database, "read", file->path, walk->fault) : list_intervals(walk);
    if (err)
        end_file(walk);
    return err;
}

static int read_losses(struct walk *walk, struct store_interval_row *row)
{
    size_t count = 0;
    sqlite3_bind_int64(walk->loss, 1, row->id);
    for (bool has_row = true;;) {
        int err = database__step(walk->loss, &has_row);
        if (err || !has_row) {
            row->interval.losses = walk->losses;
            row->interval.loss_count = count;
            return forgive(walk, err, "the table loss");
        }
        if (count == walk->loss_capacity) {
            struct store_loss *grown = reallocarray(walk->losses, count + 16, sizeof(*grown));
            if (!grown)
                return fault__set(walk->fault, -ENOMEM, "out of memory");
            walk->losses = grown;
            walk->loss_capacity = count + 16;
        }
        uint32_t word;
        err = reader__text(&walk->reader->words, walk->loss, 0, &word);
        if (err)
            return fault__set(walk->fault, err, "out of memory");
        walk->losses[count] =
            (struct store_loss){.name = texts__text(&walk->reader->words, word), .count = number(walk->loss, 1)};
        count++;
    }
}

static void note_lost_pack(struct walk *walk, const struct store_interval_row *row, uint64_t event)
{
    bool has_row = false;
    sqlite3_bind_int64(walk->total, 1, row->id);
    sqlite3_bind_int64(walk->total, 2, (sqlite3_int64)event);
    uint64_t samples = database__step(walk->total, &has_row) == 0 && has_row ? number(walk->total, 0) : 0;
    sqlite3_reset(walk->total);
    reader__note_damage(walk->reader, walk->file, "a block of values", samples);
}

// From the file's ids to the reader's. False: it refers to what is not there.
static bool translate(const struct walk *walk, struct store_value *value)
{
    value->thread = id_list__at(&walk->file->threads, value->thread);
    if (!value->thread)
        return false;
    if (value->node >= walk->file->node_end)
        return false;
    if (reader__joins(walk->reader))
        value->node = id_list__at(&walk->file->nodes, value->node);
    return true;
}

static int give_values(struct walk *walk, const struct store_interval_row *row, const struct store_value *values,
                       size_t count)
{
    const struct store_query *query = walk->query;
    uint64_t strays = 0;
    for (size_t i = 0; i < count; i++) {
        struct store_value value = values[i];
        if (!translate(walk, &value)) {
            strays += value.count;
            continue;
        }
        if (walk->threads && !walk->threads[value.thread])
            continue;
        if ((query->bucket_first || query->bucket_last) &&
            (value.bucket < query->bucket_first || value.bucket > query->bucket_last))
            continue;
        int err = walk->value_row(row, &value, walk->context);
        if (err)
            return err;
    }
    if (strays)
        reader__note_damage(walk->reader, walk->file, "values without their thread or stack", strays);
    return 0;
}

// The first pack of the interval from `from` on; *ret_id 0: there is none. A damaged one is noted, and gives no values.
static int read_pack(struct walk *walk, const struct store_interval_row *row, uint64_t from, uint64_t *ret_id,
                     const struct store_value **ret_values, size_t *ret_count)
{
    bool has_row = false;
    *ret_id = 0;
    *ret_count = 0;
    sqlite3_bind_int64(walk->pack, 1, (sqlite3_int64)from);
    sqlite3_bind_int64(walk->pack, 2, (sqlite3_int64)((uint64_t)row->id << 16 | 0xffff));
    int err = database__step(walk->pack, &has_row);
    if (err || !has_row)
        return forgive(walk, err, "the table value_pack");
    *ret_id = number(walk->pack, 0);
    uint64_t stored_event = *ret_id & 0xffff;
    uint32_t event = id_list__at(&walk->file->events, stored_event);
    bool is_wanted = !walk->query->event || walk->query->event == event;
    const void *blob = is_wanted ? sqlite3_column_blob(walk->pack, 1) : NULL;
    if (is_wanted && event && blob)
        err = packer__unpack_values(walk->reader->packer, blob, (size_t)sqlite3_column_bytes(walk->pack, 1), event,
                                    ret_values, ret_count);
    else if (is_wanted)
        err = -EBADMSG;
    sqlite3_reset(walk->pack);
    if (err == -EBADMSG) {
        note_lost_pack(walk, row, stored_event);
        return 0;
    }
    return err ? fault__set(walk->fault, err, "cannot read the store '%s': %s", walk->file->path, strerror(-err)) : 0;
}

static int walk_values(struct walk *walk, const struct store_interval_row *row, uint64_t own_id)
{
    struct store_interval_row stored = *row;
    stored.id = (uint32_t)own_id;
    for (uint64_t id = own_id << 16;; id++) {
        const struct store_value *values;
        size_t count;
        int err = read_pack(walk, &stored, id, &id, &values, &count);
        if (!err && id && count)
            err = give_values(walk, row, values, count);
        if (err || !id)
            return err;
    }
}

static int give_histogram(struct walk *walk, const struct store_interval_row *row)
{
    uint64_t counts[BUCKET_COUNT];
    uint32_t event = id_list__at(&walk->file->events, number(walk->histogram, 0)), key;
    if (walk->query->event && walk->query->event != event)
        return 0;
    const void *blob = sqlite3_column_blob(walk->histogram, 6);
    int err = event && blob ? packer__unpack_counts(walk->reader->packer, blob,
                                                    (size_t)sqlite3_column_bytes(walk->histogram, 6), counts)
                            : -EBADMSG;
    if (!err)
        err = reader__text(&walk->reader->words, walk->histogram, 1, &key);
    if (err == -EBADMSG) {
        reader__note_damage(walk->reader, walk->file, "a histogram", 0);
        return 0;
    }
    if (err)
        return fault__set(walk->fault, err, "cannot read the store '%s': %s", walk->file->path, strerror(-err));
    struct store_histogram histogram = {.event = event,
                                        .key = texts__text(&walk->reader->words, key),
                                        .sum = number(walk->histogram, 2),
                                        .min = number(walk->histogram, 3),
                                        .max = number(walk->histogram, 4),
                                        .unmatched = number(walk->histogram, 5),
                                        .counts = counts,
                                        .count_of_buckets = BUCKET_COUNT};
    return walk->histogram_row(row, &histogram, walk->context);
}

static int walk_histograms(struct walk *walk, const struct store_interval_row *row, uint64_t own_id)
{
    sqlite3_bind_int64(walk->histogram, 1, (sqlite3_int64)own_id);
    for (bool has_row = true;;) {
        int err = database__step(walk->histogram, &has_row);
        if (err || !has_row)
            return forgive(walk, err, "the table histogram_total");
        err = give_histogram(walk, row);
        if (err) {
            sqlite3_reset(walk->histogram);
            return err;
        }
    }
}

static int walk_interval(struct walk *walk, struct store_interval_row *row)
{
    uint64_t own_id = row->id;
    int err = read_losses(walk, row);
    row->id += walk->file->interval_base;
    if (!err && walk->interval_row)
        err = walk->interval_row(row, walk->context);
    if (!err && walk->value_row)
        err = walk_values(walk, row, own_id);
    if (!err && walk->histogram_row)
        err = walk_histograms(walk, row, own_id);
    return err;
}

static int run(struct walk *walk)
{
    int err = 0;
    if (walk->value_row) {
        err = choose_threads(walk);
        if (!err && reader__joins(walk->reader))
            err = reader_trie__load(walk->reader, walk->fault);
    }
    for (size_t i = 0; i < walk->reader->file_count && !err; i++) {
        err = begin_file(walk, &walk->reader->files[i]);
        if (err)
            break;
        for (size_t j = 0; j < walk->interval_count && !err; j++)
            err = walk_interval(walk, &walk->intervals[j]);
        end_file(walk);
    }
    return err;
}

int store_reader__values(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                         int (*row)(const struct store_interval_row *interval, const struct store_value *value,
                                    void *context),
                         void *context)
{
    _cleanup_(walk__release) struct walk walk = {
        .reader = reader, .query = query, .fault = fault, .value_row = row, .context = context};
    return run(&walk);
}

int store_reader__intervals(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                            int (*row)(const struct store_interval_row *interval, void *context), void *context)
{
    _cleanup_(walk__release) struct walk walk = {
        .reader = reader, .query = query, .fault = fault, .interval_row = row, .context = context};
    return run(&walk);
}

int store_reader__histograms(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                             int (*row)(const struct store_interval_row *interval,
                                        const struct store_histogram *histogram, void *context),
                             void *context)
{
    _cleanup_(walk__release) struct walk walk = {
        .reader = reader, .query = query, .fault = fault, .histogram_row = row, .context = context};
    return run(&walk);
}
