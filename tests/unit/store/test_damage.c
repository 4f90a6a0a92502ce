// Files that are no store, or no longer one: a clear word, and whatever can still be read.
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

static void make_store(uint64_t intervals, struct model *model)
{
    struct store_writer *writer = create(path);
    declare_events(writer);
    random_state = 7;
    for (uint64_t i = 0; i < intervals; i++)
        must(append_load(writer, START_NS + i * 10 * SECOND_NS, 300, NULL, model, NULL));
    close_writer(writer);
}

static uint8_t *read_all(size_t *ret_size)
{
    struct stat status;
    must(stat(path, &status));
    uint8_t *bytes = malloc((size_t)status.st_size);
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
    *ret_size = (size_t)status.st_size;
    return bytes;
}

static void write_all(const void *bytes, size_t size)
{
    _cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, bytes, size), size);
}

static void run_sql(const char *text)
{
    sqlite3 *database;
    must(sqlite3_open(path, &database));
    must(sqlite3_exec(database, text, NULL, NULL, NULL));
    must(sqlite3_close(database));
}

static void assert_refused(int err, const char *word)
{
    struct fault fault = {0};
    struct store_reader *reader = NULL;
    assert_int_equal(store_reader__open(path, &fault, &reader), err);
    if (!strstr(fault.text, word) || !strstr(fault.text, path))
        fail_msg("'%s' lacks '%s'", fault.text, word);
}

static void what_is_no_store_is_refused(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct store_writer *writer = NULL;
    assert_refused(-ENOENT, "No such file");
    write_all("", 0);
    assert_refused(-EBADMSG, "empty");
    static char text[5000] = "root:x:0:0";
    write_all(text, sizeof(text));
    assert_refused(-EBADMSG, "not a SQLite file");
    assert_int_equal(store_writer__create(path, &meta, &fault, &writer), -EEXIST);
    assert_non_null(strstr(fault.text, "not a hearth store"));
    must(unlink(path));
    run_sql("CREATE TABLE person (name)");
    assert_refused(-EBADMSG, "not a hearth store");
    assert_int_equal(store_writer__create(path, &meta, &fault, &writer), -EEXIST);
    must(unlink(path));
    must(mkdir(path, 0755));
    assert_refused(-ENOENT, "no file in that directory");
    assert_int_equal(store_writer__create(path, &meta, &fault, &writer), -EEXIST);
    must(rmdir(path));
    must(mkfifo(path, 0644));
    assert_refused(-EBADMSG, "not a file");
    assert_int_equal(store_writer__create(path, &meta, &fault, &writer), -EEXIST);
    must(unlink(path));
}

static void a_newer_store_is_refused(void **state)
{
    (void)state;
    make_store(1, NULL);
    run_sql("PRAGMA user_version = 1000");
    assert_refused(-EPROTO, "newer");
    make_store(1, NULL); // but it may be replaced
    close_writer(create(path));
}

struct check {
    struct store_reader *reader;
    const struct store_trie *trie;
    uint64_t samples;
};

static int check_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct check *check = context;
    (void)row;
    assert_non_null(store_reader__event(check->reader, value->event));
    const struct store_thread *thread = store_reader__thread(check->reader, value->thread);
    assert_non_null(store_reader__process(check->reader, thread->process));
    assert_true(value->node < check->trie->count);
    for (uint32_t node = value->node; node; node = check->trie->parents[node]) {
        assert_true(check->trie->parents[node] < node);
        const struct store_frame *frame = store_reader__frame(check->reader, check->trie->frames[node]);
        assert_non_null(store_reader__binary(check->reader, frame->binary));
    }
    check->samples += value->count;
    return 0;
}

// Reads everything; what comes of it does not matter here, as long as it ends.
static bool try_to_read(uint64_t *ret_samples)
{
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    struct fault fault = {0};
    struct store_query all = {0};
    struct check check = {0};
    int err = store_reader__open(path, &fault, &reader);
    check.reader = reader;
    if (!err)
        err = store_reader__trie(reader, &fault, &check.trie);
    if (!err)
        err = store_reader__values(reader, &all, &fault, check_value, &check);
    if (err)
        assert_true(fault.text[0]);
    *ret_samples = check.samples;
    return !err;
}

static uint64_t samples_of(const struct model *model)
{
    uint64_t samples = 0;
    for (size_t i = 0; i < model->count; i++)
        samples += model->rows[i].count;
    return samples;
}

// Cut off at every page and at odd places: never a crash, never more than was written; and what is cut off late costs
// only the end.
static void cut_files_are_read_as_far_as_they_go(void **state)
{
    (void)state;
    _cleanup_(model__release) struct model written = {0};
    size_t size, readable = 0;
    make_store(10, &written);
    _cleanup_free_ uint8_t *bytes = read_all(&size);
    for (size_t i = 0; i < 90; i++) {
        // Some at the ends of pages, some within; the last ones lack a byte or two.
        size_t cut = i < 80 ? size * i / 80 / 1024 * 1024 + (i % 4) * 341 : size - (90 - i);
        uint64_t samples = 0;
        write_all(bytes, cut);
        readable += try_to_read(&samples);
        assert_true(samples <= samples_of(&written));
    }
    assert_true(readable > 3);
}

// Nor do they send the reader round in circles, as trees whose keys are out of order could.
static void flipped_bits_never_crash(void **state)
{
    (void)state;
    _cleanup_(model__release) struct model written = {0};
    size_t size;
    make_store(3, &written);
    _cleanup_free_ uint8_t *bytes = read_all(&size);
    random_state = 11;
    for (int round = 0; round < 300; round++) {
        size_t bit = any(8 * size);
        uint64_t samples = 0;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_all(bytes, size);
        try_to_read(&samples);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static bool of_other_blocks(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)thread, (void)bucket;
    return event != 2 || start_ns != START_NS + 10 * SECOND_NS;
}

static void a_damaged_block_costs_itself(void **state)
{
    (void)state;
    _cleanup_(model__release) struct model written = {0}, others = {0}, read = {0};
    make_store(3, &written);
    random_state = 7; // as make_store has it
    for (uint64_t i = 0; i < 3; i++)
        must(append_load(NULL, START_NS + i * 10 * SECOND_NS, 300, of_other_blocks, &others, NULL));
    run_sql("UPDATE value_pack SET data = substr(data, 1, 40) || x'ff' || substr(data, 42) WHERE id = 2 * 65536 + 2");
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    read_model(reader, &(struct store_query){0}, &read);
    const struct store_damage *damage = store_reader__damage(reader);
    assert_int_equal(damage->places, 1);
    assert_int_equal(damage->samples, samples_of(&written) - samples_of(&others));
    assert_non_null(strstr(damage->first, "block of values"));
    model__assert_equal(&others, &read);
}

static uint32_t marks;

static int count_marks(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct store_reader *reader = context;
    const struct store_trie *trie;
    (void)row;
    must(store_reader__trie(reader, NULL, &trie));
    for (uint32_t node = value->node; node; node = trie->parents[node]) {
        const struct store_frame *frame = store_reader__frame(reader, trie->frames[node]);
        assert_non_null(frame);
        marks += frame->chain_length && strcmp(frame->chain[0].function, "[damaged]") == 0;
    }
    return 0;
}

static void damaged_stacks_are_marked(void **state)
{
    (void)state;
    struct fault fault = {0};
    make_store(3, NULL);
    run_sql("UPDATE node_pack SET data = x'0100' WHERE id > 1");
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    marks = 0;
    must(store_reader__values(reader, &(struct store_query){0}, &fault, count_marks, reader));
    assert_true(marks > 0);
    assert_int_equal(store_reader__damage(reader)->places, 2);
}

static void strange_ids_are_damage(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "INSERT INTO process VALUES (4000000000, 1, 1, 1, 1, '', '', '', '')",
        "INSERT INTO process VALUES (-1, 1, 1, 1, 1, '', '', '', '')",
        "UPDATE thread SET process = 77777 WHERE id = 1",
        "INSERT INTO frame VALUES (60000000, 1, 1)",
        "INSERT INTO node_pack VALUES (60000000, 4000000, x'')",
        "INSERT INTO event VALUES (70000, 'x', 'y', 'z', 0, 0)",
        "UPDATE binary SET kind = 99, build_id = zeroblob(100000)",
        "INSERT INTO interval VALUES (9223372036854775807, 0, 5, 6, 0, 0, 0)",
        "DELETE FROM thread",
        "DROP TABLE function",
        "DROP TABLE loss",
        "DELETE FROM frame WHERE id % 2",
        "UPDATE frame SET binary = 9999",
        "UPDATE frame_line SET function = 99999, file = 99999",
        "UPDATE value_pack SET data = NULL",
        "UPDATE value_pack SET data = 'text', row_count = 'x'",
        "DROP TABLE process; CREATE VIEW process AS SELECT 1 AS id",
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        uint64_t samples = 0;
        sqlite3 *database;
        make_store(2, NULL);
        must(sqlite3_open(path, &database));
        sqlite3_exec(database, changes[i], NULL, NULL, NULL); // NOT NULL refuses some
        must(sqlite3_close(database));
        try_to_read(&samples);
    }
}

static int count_one(const struct store_interval_row *row, void *context)
{
    (void)row;
    ++*(int *)context;
    return 0;
}

// As nobody, in a folder of root's: nothing can be made there, not even SQLite's -shm file.
static int read_as_nobody(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct store_reader *reader = NULL;
        struct fault fault = {0};
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(99);
        int err = store_reader__open(path, &fault, &reader);
        if (err)
            fprintf(stderr, "%s\n", fault.text);
        int intervals = 0;
        if (!err)
            err = store_reader__intervals(reader, &(struct store_query){0}, &fault, count_one, &intervals);
        _exit(err ? 98 : intervals);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void stores_open_where_nothing_may_be_written(void **state)
{
    (void)state;
    char name[PATH_MAX];
    if (getuid() != 0) {
        print_message("[  SKIP  ] needs root: to become somebody who may not write\n");
        skip();
    }
    must(chmod(folder, 0755));
    make_store(3, NULL);
    assert_int_equal(read_as_nobody(), 3);
    // A writer that was killed leaves its file in WAL mode, with a WAL.
    pid_t pid = fork();
    if (pid == 0) {
        struct store_writer *writer = create(path);
        declare_events(writer);
        for (uint64_t i = 0; i < 5; i++)
            must(append_load(writer, START_NS + i * 10 * SECOND_NS, 100, NULL, NULL, NULL));
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    snprintf(name, sizeof(name), "%.4000s/x.db-shm", folder);
    must(access(name, F_OK));
    assert_int_equal(read_as_nobody(), 5);
    must(unlink(name));
    assert_int_equal(read_as_nobody(), 5);
    snprintf(name, sizeof(name), "%.4000s/x.db-wal", folder);
    must(truncate(name, 0));
    assert_true(read_as_nobody() <= 5);
    must(unlink(name));
    assert_true(read_as_nobody() <= 5);
    must(chmod(path, 0600));
    assert_int_equal(read_as_nobody(), 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_store_is_refused),
        cmocka_unit_test(a_newer_store_is_refused),
        cmocka_unit_test(cut_files_are_read_as_far_as_they_go),
        cmocka_unit_test(flipped_bits_never_crash),
        cmocka_unit_test(a_damaged_block_costs_itself),
        cmocka_unit_test(damaged_stacks_are_marked),
        cmocka_unit_test(strange_ids_are_damage),
        cmocka_unit_test(stores_open_where_nothing_may_be_written),
    };
    return cmocka_run_group_tests_name("store: damage", tests, make_folder, remove_folder);
}
