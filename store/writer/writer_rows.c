// From the writer's memory into the tables.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/bucket.h"
#include "store/values.h"
#include "store/writer/writer_insides.h"

#include "store/base/grow.h"

static const char *const statement_texts[WRITER_STATEMENT_COUNT] = {
    [WRITER_META] = "INSERT OR REPLACE INTO meta VALUES (?, ?)",
    [WRITER_EVENT] = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
    [WRITER_PROCESS] = "INSERT OR REPLACE INTO process VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [WRITER_THREAD] = "INSERT INTO thread VALUES (?, ?, ?, ?)",
    [WRITER_BINARY] = "INSERT INTO binary VALUES (?, ?, ?, ?, nullif(?, 0))",
    [WRITER_FUNCTION] = "INSERT INTO function VALUES (?, ?)",
    [WRITER_FILE] = "INSERT INTO file VALUES (?, ?)",
    [WRITER_FRAME] = "INSERT INTO frame VALUES (?, ?, ?)",
    [WRITER_LINE] = "INSERT OR IGNORE INTO frame_line VALUES (?, ?, ?, nullif(?, 0), ?)",
    [WRITER_INTERVAL] = "INSERT INTO interval VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [WRITER_SOURCE] = "INSERT INTO source VALUES (?, ?, ?, ?)",
    [WRITER_TOTAL] = "INSERT INTO total VALUES (?, ?, ?, ?)",
    [WRITER_PROCESS_TOTAL] = "INSERT INTO process_total VALUES (?, ?, ?, ?, ?)",
    [WRITER_LOSS] = "INSERT INTO loss VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
    [WRITER_VALUE_PACK] = "INSERT INTO value_pack VALUES (?, ?, ?)",
    [WRITER_NODE_PACK] = "INSERT INTO node_pack VALUES (?, ?, ?)",
    [WRITER_HISTOGRAM] = "INSERT INTO histogram_total VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [WRITER_INCIDENT] =
        "INSERT INTO incident VALUES (max(?, (SELECT coalesce(max(id), 0) + 1 FROM incident)), ?, ?, ?, ?, ?, ?)",
    [WRITER_PROCESS_OF_THREAD] = "SELECT process FROM thread WHERE id = ?",
};

sqlite3_stmt *writer_rows__statement(struct store_writer *writer, enum writer_statement which, int *ret_err)
{
    sqlite3_stmt **statement = &writer->statements[which];
    int err = *statement ? 0 : database__prepare(writer->database, statement_texts[which], statement);
    if (err) {
        *ret_err = err;
        return NULL;
    }
    return *statement;
}

// Puts one row: numbers and texts by the letters of `types`: u number, s text, b bytes and their length, n NULL. Does
// nothing once *err is set, so that a run of rows is checked at its end.
static void put(struct store_writer *writer, int *err, enum writer_statement which, const char *types, ...)
{
    sqlite3_stmt *statement = *err ? NULL : writer_rows__statement(writer, which, err);
    if (!statement)
        return;
    va_list arguments;
    va_start(arguments, types);
    for (int i = 1; *types; types++, i++) {
        if (*types == 'u') {
            sqlite3_bind_int64(statement, i, (sqlite3_int64)va_arg(arguments, uint64_t));
        } else if (*types == 's') {
            sqlite3_bind_text(statement, i, va_arg(arguments, const char *), -1, SQLITE_STATIC);
        } else if (*types == 'b') {
            const void *bytes = va_arg(arguments, const void *);
            sqlite3_bind_blob64(statement, i, bytes, va_arg(arguments, size_t), SQLITE_STATIC);
        } else {
            sqlite3_bind_null(statement, i);
        }
    }
    va_end(arguments);
    *err = database__do(statement);
    sqlite3_clear_bindings(statement);
}

static uint64_t u64(uint64_t number)
{
    return number; // what the variable arguments of put() want
}

void writer_rows__put_meta(struct store_writer *writer, const char *key, const char *value, int *err)
{
    put(writer, err, WRITER_META, "ss", key, value ? value : "");
}

static void put_process(struct store_writer *writer, uint32_t id, int *err)
{
    const struct writer_process *process = dictionary__record(&writer->processes, id);
    const struct texts *words = &writer->words;
    put(writer, err, WRITER_PROCESS, "uuuuussss", u64(id), u64(process->pid), process->start_ns,
        u64(process->parent_pid), u64(process->uid), texts__text(words, process->comm),
        texts__text(words, process->exe), texts__text(words, process->cgroup), texts__text(words, process->container));
}

static void put_processes(struct store_writer *writer, int *err)
{
    const struct dictionary *processes = &writer->processes;
    for (uint32_t id = processes->base; id < processes->written && writer->has_dirty_processes; id++) {
        const struct writer_process *process = dictionary__record(processes, id);
        if (process->is_dirty) // until the commit: a failed transaction needs it again
            put_process(writer, id, err);
    }
    for (uint32_t id = processes->written; id < dictionary__end(processes); id++)
        put_process(writer, id, err);
}

static void put_threads(struct store_writer *writer, int *err)
{
    for (uint32_t id = writer->threads.written; id < dictionary__end(&writer->threads); id++) {
        const struct writer_thread *thread = dictionary__record(&writer->threads, id);
        put(writer, err, WRITER_THREAD, "uuus", u64(id), u64(thread->process), u64(thread->tid),
            texts__text(&writer->words, thread->comm));
    }
}

static void put_binaries(struct store_writer *writer, int *err)
{
    for (uint32_t id = writer->binaries.written; id < dictionary__end(&writer->binaries); id++) {
        const struct writer_binary *binary = dictionary__record(&writer->binaries, id);
        const char *path = texts__text(&writer->paths, binary->path);
        if (binary->build_id_bytes)
            put(writer, err, WRITER_BINARY, "uubsu", u64(id), u64(binary->kind), binary->build_id,
                (size_t)binary->build_id_bytes, path, binary->digest);
        else
            put(writer, err, WRITER_BINARY, "uunsu", u64(id), u64(binary->kind), path, u64(0));
    }
}

static void put_frames(struct store_writer *writer, int *err)
{
    for (uint32_t id = writer->frames.written; id < dictionary__end(&writer->frames); id++) {
        const struct writer_frame *frame = dictionary__record(&writer->frames, id);
        put(writer, err, WRITER_FRAME, "uuu", u64(id), u64(frame->binary),
            (uint64_t)frame->offset_high << 32 | frame->offset_low);
    }
}

static void put_names(struct store_writer *writer, int *err)
{
    for (uint32_t id = writer->functions_written; id < texts__end(&writer->functions); id++)
        put(writer, err, WRITER_FUNCTION, "us", u64(id), texts__text(&writer->functions, id));
    for (uint32_t id = writer->files_written; id < texts__end(&writer->files); id++)
        put(writer, err, WRITER_FILE, "us", u64(id), texts__text(&writer->files, id));
    const struct writer_line *lines = (const struct writer_line *)writer->lines.data;
    for (size_t i = 0; i < writer->lines.length_bytes / sizeof(*lines); i++)
        put(writer, err, WRITER_LINE, "uuuuu", u64(lines[i].frame), u64(lines[i].depth), u64(lines[i].function),
            u64(lines[i].file), u64(lines[i].line));
}

static void put_nodes(struct store_writer *writer, int *err)
{
    const struct dictionary *nodes = &writer->nodes;
    uint32_t first = nodes->written, count = dictionary__end(nodes) - first;
    if (*err || count == 0)
        return;
    const struct buf *blob;
    *err = packer__pack_nodes(writer->packer, first, dictionary__record(nodes, first), count, &blob);
    if (!*err)
        put(writer, err, WRITER_NODE_PACK, "uub", u64(first), u64(count), blob->data, blob->length_bytes);
}

int writer_rows__put_dictionaries(struct store_writer *writer)
{
    int err = 0;
    for (uint32_t i = writer->events_written; i < writer->event_count; i++) {
        const struct writer_event *event = &writer->events[i];
        put(writer, &err, WRITER_EVENT, "usssuu", u64(i + 1), event->name, event->unit, event->detail, event->period,
            u64(event->is_doubled ? 2 : event->is_histogram));
    }
    put_processes(writer, &err);
    put_threads(writer, &err);
    put_binaries(writer, &err);
    put_frames(writer, &err);
    put_names(writer, &err);
    put_nodes(writer, &err);
    if (writer->restarts != writer->restarts_written) {
        char number[16];
        snprintf(number, sizeof(number), "%u", writer->restarts);
        writer_rows__put_meta(writer, "restarts", number, &err);
    }
    return err;
}

// A sorted copy, with rows of the same key added up.
static int sort_values(struct store_writer *writer, const struct store_value *values, size_t *count)
{
    if (*count > writer->values_capacity) {
        if (RESIZE(writer->values, *count) != 0)
            return -ENOMEM;
        writer->values_capacity = *count;
    }
    if (*count)
        memcpy(writer->values, values, *count * sizeof(*values));
    *count = values__settle(writer->values, *count);
    return 0;
}

static int process_of(struct store_writer *writer, uint32_t thread, uint32_t *ret_process)
{
    const struct writer_thread *known = dictionary__record(&writer->threads, thread);
    if (known) {
        *ret_process = known->process;
        return 0;
    }
    int err = 0;
    bool has_row = false;
    sqlite3_stmt *statement = writer_rows__statement(writer, WRITER_PROCESS_OF_THREAD, &err);
    if (!statement)
        return err;
    sqlite3_bind_int64(statement, 1, thread);
    err = database__step(statement, &has_row);
    if (has_row)
        *ret_process = (uint32_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return err ? err : has_row ? 0 : -EINVAL;
}

static int compare_sums(const void *a, const void *b)
{
    const struct writer_sum *x = a, *y = b;
    return (x->process > y->process) - (x->process < y->process);
}

// Adds up the values of one event by process, in writer->sums.
static int add_up(struct store_writer *writer, const struct store_value *values, size_t count, size_t *ret_count)
{
    size_t sums = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || values[i].thread != values[i - 1].thread) {
            if (GROW(writer->sums, writer->sums_capacity, sums + 1) != 0)
                return -ENOMEM;
            writer->sums[sums] = (struct writer_sum){0};
            int err = process_of(writer, values[i].thread, &writer->sums[sums].process);
            if (err)
                return err;
            sums++;
        }
        writer->sums[sums - 1].samples += values[i].count;
        writer->sums[sums - 1].value = saturated_sum(writer->sums[sums - 1].value, values[i].value);
    }
    qsort(writer->sums, sums, sizeof(*writer->sums), compare_sums);
    *ret_count = sums;
    return 0;
}

static void put_sums(struct store_writer *writer, uint64_t interval, uint64_t event, size_t count, int *err)
{
    struct writer_sum all = {0};
    for (size_t i = 0, end; i < count; i = end) {
        struct writer_sum sum = writer->sums[i];
        for (end = i + 1; end < count && writer->sums[end].process == sum.process; end++) {
            sum.samples += writer->sums[end].samples;
            sum.value = saturated_sum(sum.value, writer->sums[end].value);
        }
        put(writer, err, WRITER_PROCESS_TOTAL, "uuuuu", interval, event, u64(sum.process), sum.samples, sum.value);
        all.samples += sum.samples;
        all.value = saturated_sum(all.value, sum.value);
    }
    put(writer, err, WRITER_TOTAL, "uuuu", interval, event, all.samples, all.value);
}

static int put_event_values(struct store_writer *writer, uint64_t interval, const struct store_value *values,
                            size_t count)
{
    uint64_t event = values[0].event;
    const struct buf *blob;
    size_t sums;
    int err = add_up(writer, values, count, &sums);
    if (err)
        return err;
    put_sums(writer, interval, event, sums, &err);
    if (!err)
        err = packer__pack_values(writer->packer, values, count, &blob);
    if (!err)
        put(writer, &err, WRITER_VALUE_PACK, "uub", interval << 16 | event, u64(count), blob->data, blob->length_bytes);
    return err;
}

static bool is_valid(const struct store_writer *writer, const struct store_value *value)
{
    return value->event >= 1 && value->event <= writer->event_count && value->thread >= 1 &&
           value->thread < dictionary__end(&writer->threads) && value->node < dictionary__end(&writer->nodes) &&
           value->bucket <= BUCKETS_TOTAL;
}

static int put_values(struct store_writer *writer, uint64_t interval, const struct store_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_valid(writer, &values[i]))
            return -EINVAL;
    int err = sort_values(writer, values, &count);
    for (size_t i = 0, end; !err && i < count; i = end) {
        for (end = i + 1; end < count && writer->values[end].event == writer->values[i].event;)
            end++;
        err = put_event_values(writer, interval, writer->values + i, end - i);
    }
    return err;
}

// The sum as a number of 64 bits, or, where it has none, in digits: a text would become a real number.
static int put_histogram(struct store_writer *writer, uint64_t interval, const struct store_histogram *histogram)
{
    if (histogram->event < 1 || histogram->event > writer->event_count || histogram->count_of_buckets > BUCKETS_TOTAL)
        return -EINVAL;
    uint64_t count = 0, below_zero = 0, min = (uint64_t)histogram->min, max = (uint64_t)histogram->max;
    const char *key = histogram->key ? histogram->key : "";
    for (size_t i = 0; i < histogram->count_of_buckets; i++) {
        count += histogram->counts[i];
        below_zero += bucket__is_below_zero((uint32_t)i) ? histogram->counts[i] : 0;
    }
    const struct buf *blob;
    int err = packer__pack_counts(writer->packer, histogram->counts, histogram->count_of_buckets, &blob);
    char digits[WIDE_TEXT_BYTES];
    wide__text(histogram->sum, digits);
    if (below_zero ? wide__fits_i64(histogram->sum) : wide__fits_u64(histogram->sum))
        put(writer, &err, WRITER_HISTOGRAM, "uusuuuuub", interval, u64(histogram->event), key, count,
            (uint64_t)histogram->sum, min, max, histogram->unmatched, blob->data, blob->length_bytes);
    else
        put(writer, &err, WRITER_HISTOGRAM, "uusubuuub", interval, u64(histogram->event), key, count, digits,
            strlen(digits), min, max, histogram->unmatched, blob->data, blob->length_bytes);
    return err;
}

int writer_rows__put_interval(struct store_writer *writer, const struct store_interval *interval,
                              const struct store_value *values, size_t value_count,
                              const struct store_histogram *histograms, size_t histogram_count)
{
    int err = 0;
    uint64_t id = writer->next_interval;
    const struct store_rolled *rolled = interval->rolled;
    put(writer, &err, WRITER_INTERVAL, "uuuuuuuuu", id, u64(rolled ? rolled->tier_s : 0), interval->start_ns,
        interval->end_ns, interval->own_cpu_ns, interval->own_bpf_ns, interval->own_rss_bytes, interval->own_map_bytes,
        interval->own_written_bytes);
    for (size_t i = 0; rolled && i < rolled->source_count; i++)
        put(writer, &err, WRITER_SOURCE, "usuu", id, rolled->sources[i].store, u64(rolled->sources[i].first),
            u64(rolled->sources[i].last));
    for (size_t i = 0; i < interval->loss_count; i++)
        put(writer, &err, WRITER_LOSS, "usu", id, interval->losses[i].name, interval->losses[i].count);
    if (!err)
        err = put_values(writer, id, values, value_count);
    for (size_t i = 0; i < histogram_count && !err; i++)
        err = put_histogram(writer, id, &histograms[i]);
    return err;
}

int writer_rows__put_incident(struct store_writer *writer, const struct store_incident *incident)
{
    int err = 0;
    put(writer, &err, WRITER_INCIDENT, "uuussss", incident->end_ns / 1000000000u, incident->start_ns, incident->end_ns,
        incident->rule, incident->culprit, incident->value, incident->file);
    return err;
}
