// A store that is appended to again: what is in it keeps its rows, and what had no name when the first writer was gone
// wants one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/reader/reader.h"
#include "store/reader/reader_questions.h"
#include "store/writer/writer.h"

static char path[64];

static int name_store(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/hearth-resume.%d.db", getpid());
    return 0;
}

static int remove_store(void **state)
{
    (void)state;
    return unlink(path);
}

static uint32_t frame_at(struct store_writer *writer, uint64_t offset, bool *ret_is_new)
{
    struct store_binary binary = {.kind = STORE_BINARY_ELF, .path = "/usr/bin/a"};
    uint32_t binary_row, frame;
    assert_int_equal(store_writer__binary(writer, &binary, &binary_row), 0);
    assert_int_equal(store_writer__frame(writer, binary_row, offset, &frame, ret_is_new), 0);
    return frame;
}

// An interval with one value, whose stack is the two frames.
static uint32_t append_at(struct store_writer *writer, uint32_t *frames, uint64_t start_ns, uint64_t period)
{
    struct store_event event = {.name = "cpu", .unit = "samples", .period = period};
    struct store_process process = {.pid = 1, .start_ns = 1, .comm = "a"};
    struct store_value value = {.count = 1, .value = 1};
    struct store_interval interval = {.start_ns = start_ns, .end_ns = start_ns + 1000, .own_written_bytes = 7};
    struct fault fault = {0};
    uint32_t process_row;
    assert_int_equal(store_writer__event(writer, &event, &value.event), 0);
    assert_int_equal(store_writer__process(writer, &process, &process_row), 0);
    assert_int_equal(store_writer__thread(writer, process_row, 0, "a", &value.thread), 0);
    assert_int_equal(store_writer__stack(writer, frames, 2, &value.node), 0);
    assert_int_equal(store_writer__append(writer, &interval, &value, 1, NULL, 0, &fault), 0);
    return value.event;
}

static void append(struct store_writer *writer, uint32_t *frames)
{
    append_at(writer, frames, 1000, 1);
}

static int add_samples(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    uint64_t *samples = context;
    (void)row;
    *samples += value->count;
    return 0;
}

static void samples_of_two_rates_are_one_event_without_a_period(void **state)
{
    (void)state;
    struct store_meta meta = {.host = "h", .kernel = "", .arch = "", .version = "", .command = ""};
    struct store_writer *writer;
    struct store_reader *reader;
    struct fault fault = {0};
    bool is_new;
    uint64_t samples = 0;
    assert_int_equal(store_writer__create(path, &meta, &fault, &writer), 0);
    uint32_t frames[2] = {frame_at(writer, 1, &is_new), frame_at(writer, 2, &is_new)};
    uint32_t first = append_at(writer, frames, 1000, 10101010);
    assert_int_equal(store_writer__close(writer, &fault), 0);
    assert_int_equal(store_writer__resume(path, &fault, &writer), 0);
    assert_int_not_equal(append_at(writer, frames, 2000, 20408163), first);
    assert_int_equal(append_at(writer, frames, 3000, 10101010), first);
    assert_int_equal(store_writer__close(writer, &fault), 0);

    assert_int_equal(store_reader__open(path, &fault, &reader), 0);
    assert_int_equal(store_reader__event_count(reader), 1);
    assert_int_equal(store_reader__event(reader, 1)->period, 0);
    assert_string_equal(store_reader__event(reader, 1)->detail, "at several rates");
    assert_int_equal(store_reader__values(reader, &(struct store_query){0}, &fault, add_samples, &samples), 0);
    assert_int_equal(samples, 3);
    store_reader__free(reader);
}

static void a_frame_without_a_name_wants_one_again(void **state)
{
    (void)state;
    struct store_meta meta = {.host = "h", .kernel = "", .arch = "", .version = "", .command = ""};
    struct store_line line = {.function = "named"};
    struct store_writer *writer;
    struct fault fault = {0};
    bool is_new;
    assert_int_equal(store_writer__create(path, &meta, &fault, &writer), 0);
    uint32_t frames[2] = {frame_at(writer, 1, &is_new), 0};
    assert_true(is_new);
    frames[1] = frame_at(writer, 2, &is_new);
    assert_true(is_new);
    frame_at(writer, 2, &is_new);
    assert_false(is_new);
    assert_int_equal(store_writer__name(writer, frames[0], &line, 1), 0);
    append(writer, frames);
    assert_int_equal(store_writer__close(writer, &fault), 0);

    assert_int_equal(store_writer__resume(path, &fault, &writer), 0);
    assert_int_equal(frame_at(writer, 1, &is_new), frames[0]);
    assert_false(is_new);
    assert_int_equal(frame_at(writer, 2, &is_new), frames[1]);
    assert_true(is_new);
    frame_at(writer, 2, &is_new);
    assert_false(is_new);
    frame_at(writer, 3, &is_new);
    assert_true(is_new);
    append(writer, frames);
    assert_int_equal(store_writer__close(writer, &fault), 0);
}

static void take_away(const char *column)
{
    char sql[128];
    sqlite3 *database;
    snprintf(sql, sizeof(sql), "ALTER TABLE interval DROP COLUMN %s", column);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static int take_written(const struct store_interval_row *row, void *context)
{
    uint64_t *written = context;
    written[row->id - 1] = row->interval.own_written_bytes;
    return 0;
}

static void read_written(uint64_t written[2])
{
    struct store_query all = {0};
    struct store_reader *reader;
    struct fault fault = {0};
    assert_int_equal(store_reader__open(path, &fault, &reader), 0);
    assert_int_equal(store_reader__intervals(reader, &all, &fault, take_written, written), 0);
    store_reader__free(reader);
}

static void a_file_of_an_older_hearth_is_read_and_goes_on(void **state)
{
    (void)state;
    struct store_meta meta = {.host = "h", .kernel = "", .arch = "", .version = "", .command = ""};
    struct store_writer *writer;
    struct fault fault = {0};
    bool is_new;
    uint64_t written[2] = {9, 9};
    assert_int_equal(store_writer__create(path, &meta, &fault, &writer), 0);
    uint32_t frames[2] = {frame_at(writer, 1, &is_new), frame_at(writer, 2, &is_new)};
    append(writer, frames);
    assert_int_equal(store_writer__close(writer, &fault), 0);
    take_away("own_map_bytes");
    take_away("own_written_bytes");
    read_written(written);
    assert_int_equal(written[0], 0);

    assert_int_equal(store_writer__resume(path, &fault, &writer), 0);
    append(writer, frames);
    assert_int_equal(store_writer__close(writer, &fault), 0);
    read_written(written);
    assert_int_equal(written[0], 0);
    assert_int_equal(written[1], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_of_two_rates_are_one_event_without_a_period, name_store, remove_store),
        cmocka_unit_test_setup_teardown(a_frame_without_a_name_wants_one_again, name_store, remove_store),
        cmocka_unit_test_setup_teardown(a_file_of_an_older_hearth_is_read_and_goes_on, name_store, remove_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
