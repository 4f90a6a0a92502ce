// A store that is being written: readers beside the writer, and writers that are killed.
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "tests/unit/store/load.h"

static char folder[PATH_MAX], path[PATH_MAX];

static int make_folder(void **state)
{
    (void)state;
    scratch__make(folder);
    snprintf(path, sizeof(path), "%.4000s/x.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch__remove(folder);
    return 0;
}

// Each interval is a seed of its own, so that any of them can be made again.
static int append_interval(struct store_writer *writer, uint64_t number, struct model *model)
{
    random_state = number * 1000003;
    return append_load(writer, START_NS + number * 10 * SECOND_NS, 60, NULL, model, NULL);
}

static int count_interval(const struct store_interval_row *row, void *context)
{
    uint64_t *end = context;
    assert_int_equal(row->interval.start_ns, START_NS + *end * 10 * SECOND_NS); // none is missing
    (*end)++;
    return 0;
}

static uint64_t intervals_of(struct store_reader *reader)
{
    uint64_t end = 0;
    struct fault fault = {0};
    if (store_reader__intervals(reader, &(struct store_query){0}, &fault, count_interval, &end))
        fail_msg("%s", fault.text);
    return end;
}

// The reader holds the first `intervals` intervals, whole, and nothing else.
static void assert_holds(struct store_reader *reader, uint64_t intervals)
{
    _cleanup_(model__release) struct model written = {0}, read = {0};
    for (uint64_t i = 0; i < intervals; i++)
        must(append_interval(NULL, i, &written));
    assert_int_equal(intervals_of(reader), intervals);
    read_model(reader, &(struct store_query){0}, &read);
    model__assert_equal(&written, &read);
    assert_int_equal(store_reader__damage(reader)->places, 0);
}

static void a_reader_sees_the_store_as_it_was_opened(void **state)
{
    (void)state;
    _cleanup_(store_writer__freep) struct store_writer *writer = create(path);
    declare_events(writer);
    for (uint64_t i = 0; i < 4; i++)
        must(append_interval(writer, i, NULL));
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    for (uint64_t i = 4; i < 9; i++)
        must(append_interval(writer, i, NULL));
    assert_holds(reader, 4);
    _cleanup_(store_reader__freep) struct store_reader *later = open_store(path);
    assert_holds(later, 9);
}

static void a_replaced_store_is_said(void **state)
{
    (void)state;
    struct store_writer *writer = create(path);
    declare_events(writer);
    must(append_interval(writer, 0, NULL));
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    close_writer(writer);
    close_writer(create(path));
    struct fault fault = {0};
    uint64_t end = 0;
    assert_int_equal(store_reader__intervals(reader, &(struct store_query){0}, &fault, count_interval, &end), -ESTALE);
    assert_non_null(strstr(fault.text, "replaced"));
}

// Writes until it is killed; says each interval that was acknowledged.
static void write_for_ever(int said)
{
    struct store_writer *writer = create(path);
    declare_events(writer);
    for (uint64_t i = 0;; i++) {
        if (append_interval(writer, i, NULL))
            _exit(1);
        if (write(said, &i, sizeof(i)) != sizeof(i))
            _exit(2);
    }
}

static pid_t start_writer(int *ret_said)
{
    int ends[2];
    must(pipe2(ends, O_CLOEXEC));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        write_for_ever(ends[1]);
    }
    close(ends[1]);
    *ret_said = ends[0];
    return pid;
}

static void kill_and_wait(pid_t pid)
{
    int status;
    must(kill(pid, SIGKILL));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static uint64_t drain(int said, uint64_t acknowledged)
{
    for (uint64_t i; read(said, &i, sizeof(i)) == sizeof(i);)
        acknowledged = i + 1;
    return acknowledged;
}

static void readers_beside_a_writer_see_whole_intervals(void **state)
{
    (void)state;
    _cleanup_fd_ int said = -1;
    pid_t pid = start_writer(&said);
    uint64_t acknowledged = 0, last = 0;
    for (int round = 0; round < 6; round++) {
        for (uint64_t wanted = acknowledged + 3, i; acknowledged < wanted; acknowledged = i + 1)
            assert_int_equal(read(said, &i, sizeof(i)), sizeof(i));
        _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
        uint64_t seen = intervals_of(reader);
        assert_true(seen >= acknowledged && seen >= last);
        last = seen;
        assert_holds(reader, seen);
    }
    kill_and_wait(pid);
}

// 20 writers are killed, each at a moment of its own: after so many acknowledged intervals and some microseconds more.
static void kill_loses_nothing_acknowledged(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 20; round++) {
        _cleanup_fd_ int said = -1;
        pid_t pid = start_writer(&said);
        uint64_t acknowledged = 0, i;
        while (acknowledged < 1 + round % 7) {
            assert_int_equal(read(said, &i, sizeof(i)), sizeof(i));
            acknowledged = i + 1;
        }
        usleep((useconds_t)(round * 137 % 1900));
        kill_and_wait(pid);
        acknowledged = drain(said, acknowledged);
        _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
        uint64_t kept = intervals_of(reader);
        assert_true(kept == acknowledged || kept == acknowledged + 1); // committed, but not yet said
        assert_holds(reader, kept);
    }
}

static void only_one_writes(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct store_writer *second = NULL;
    _cleanup_(store_writer__freep) struct store_writer *writer = create(path);
    assert_int_equal(store_writer__create(path, &meta, &fault, &second), -EBUSY);
    assert_non_null(strstr(fault.text, "another hearth"));
    declare_events(writer);
    must(append_interval(writer, 0, NULL)); // the first one has lost nothing
}

static void the_wal_stays_short(void **state)
{
    (void)state;
    char wal[PATH_MAX];
    struct stat status;
    snprintf(wal, sizeof(wal), "%.4000s/x.db-wal", folder);
    struct store_writer *writer = create(path);
    declare_events(writer);
    for (uint64_t i = 0; i < 40; i++)
        must(append_interval(writer, i, NULL));
    must(stat(wal, &status));
    assert_true(status.st_size < 1 << 20);
    uint64_t bytes = store_writer__bytes(writer);
    assert_true(bytes > (uint64_t)status.st_size);
    close_writer(writer);
    assert_int_equal(stat(wal, &status), -1); // and is gone at the end
    must(stat(path, &status));
    assert_true((uint64_t)status.st_size <= bytes);
}

// Somebody keeps a transaction open in a shell: the writer goes on, and the WAL is used again when that one has gone.
static void a_reader_that_stays_does_not_stop_the_writer(void **state)
{
    (void)state;
    char wal[PATH_MAX];
    struct stat held, later;
    sqlite3 *shell;
    snprintf(wal, sizeof(wal), "%.4000s/x.db-wal", folder);
    struct store_writer *writer = create(path);
    declare_events(writer);
    must(append_interval(writer, 0, NULL));
    must(sqlite3_open_v2(path, &shell, SQLITE_OPEN_READONLY, NULL));
    must(sqlite3_exec(shell, "BEGIN; SELECT count(*) FROM interval", NULL, NULL, NULL));
    for (uint64_t i = 1; i < 20; i++)
        must(append_interval(writer, i, NULL));
    must(stat(wal, &held));
    must(sqlite3_exec(shell, "COMMIT", NULL, NULL, NULL));
    for (uint64_t i = 20; i < 50; i++)
        must(append_interval(writer, i, NULL));
    must(stat(wal, &later));
    assert_true(later.st_size < held.st_size + held.st_size / 4);
    must(sqlite3_exec(shell, "SELECT count(*) FROM interval", NULL, NULL, NULL));
    close_writer(writer); // the shell still has the file open
    must(sqlite3_close(shell));
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    assert_holds(reader, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_sees_the_store_as_it_was_opened),
        cmocka_unit_test(a_replaced_store_is_said),
        cmocka_unit_test(readers_beside_a_writer_see_whole_intervals),
        cmocka_unit_test(kill_loses_nothing_acknowledged),
        cmocka_unit_test(only_one_writes),
        cmocka_unit_test(the_wal_stays_short),
        cmocka_unit_test(a_reader_that_stays_does_not_stop_the_writer),
    };
    return cmocka_run_group_tests_name("store: live", tests, make_folder, remove_folder);
}
