// Stores made to harm their readers: a file with anything that SQLite would run is refused, and a small file costs its
// reader little memory and time, whatever sizes it claims.
#include <sqlite3.h>

#include "store/base/limits.h"
#include "store/pack.h"
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

static void make_store(void)
{
    struct store_writer *writer = create(path);
    declare_events(writer);
    random_state = 7;
    must(append_load(writer, START_NS, 300, NULL, NULL, NULL));
    close_writer(writer);
}

static sqlite3 *open_database(void)
{
    sqlite3 *database;
    must(sqlite3_open(path, &database));
    return database;
}

static void run_sql(const char *text)
{
    sqlite3 *database = open_database();
    must(sqlite3_exec(database, text, NULL, NULL, NULL));
    must(sqlite3_close(database));
}

static void put_blob(const char *text, sqlite3_int64 id, sqlite3_int64 count, const struct buf *blob)
{
    sqlite3 *database = open_database();
    sqlite3_stmt *statement;
    must(sqlite3_prepare_v2(database, text, -1, &statement, NULL));
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, count);
    sqlite3_bind_blob(statement, 3, blob->data, (int)blob->length_bytes, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    must(sqlite3_finalize(statement));
    must(sqlite3_close(database));
}

static void a_file_that_sqlite_would_run_is_refused(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"DROP TABLE function; CREATE VIEW function AS SELECT 1 AS id, 'f' AS name", "the view 'function'"},
        {"CREATE VIEW other AS SELECT 1", "the view 'other'"},
        {"CREATE TRIGGER t AFTER INSERT ON interval BEGIN DELETE FROM meta; END", "the trigger 't'"},
        {"DROP TABLE loss; CREATE TABLE loss (interval, name AS (hex(zeroblob(9))), count)",
         "the computed column 'loss.name'"},
        {"CREATE TABLE other (a, b AS (a + 1) STORED)", "the computed column 'other.b'"},
        {"CREATE INDEX other ON function (hex(name))", "the index 'other'"},
        {"PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = 'CREATE VIEW function AS SELECT 1 AS id, 2 AS "
         "name'"
         "WHERE name = 'function'",
         ""},
        {"CREATE VIRTUAL TABLE other USING fts5(a)", "the table 'other'"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct fault fault = {0};
        struct store_reader *reader = NULL;
        make_store();
        run_sql(changes[i][0]);
        assert_int_equal(store_reader__open(path, &fault, &reader), -EBADMSG);
        if (!strstr(fault.text, changes[i][1]) || !strstr(fault.text, path))
            fail_msg("'%s' lacks '%s'", fault.text, changes[i][1]);
    }
}

static void tables_of_others_are_let_be(void **state)
{
    (void)state;
    make_store();
    run_sql("CREATE TABLE lost_and_found (rootpgno INTEGER, id TEXT PRIMARY KEY, c0); ANALYZE");
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    assert_int_equal(store_reader__damage(reader)->places, 0);
}

// A view that takes a table's place after the store was opened.
static void a_view_that_comes_later_is_not_read(void **state)
{
    (void)state;
    struct fault fault = {0};
    const struct store_trie *trie;
    make_store();
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    run_sql("DROP TABLE frame; CREATE VIEW frame AS SELECT 1 AS id, 1 AS binary, 1 AS offset");
    assert_int_equal(store_reader__trie(reader, &fault, &trie), -EBADMSG);
    assert_non_null(strstr(fault.text, "the view 'frame'"));
}

enum { CHAIN = 100000, PACK_ROWS = 1 << 20, PACKS = 12 };

// A chain of nodes, each the caller of the next.
static void put_chain(uint32_t first)
{
    struct packer *packer;
    const struct buf *blob;
    struct pack_node *nodes = calloc(CHAIN, sizeof(*nodes));
    assert_non_null(nodes);
    for (uint32_t i = 0; i < CHAIN; i++)
        nodes[i] = (struct pack_node){.parent = i ? first + i - 1 : 0, .frame = 1};
    must(packer__new(&packer));
    must(packer__pack_nodes(packer, first, nodes, CHAIN, &blob));
    put_blob("INSERT INTO node_pack VALUES (?, ?, ?)", first, CHAIN, blob);
    packer__free(packer);
    free(nodes);
}

static void stacks_have_a_depth(void **state)
{
    (void)state;
    struct fault fault = {0};
    const struct store_trie *trie;
    make_store();
    sqlite3 *database = open_database();
    sqlite3_stmt *statement;
    must(sqlite3_prepare_v2(database, "SELECT id + node_count FROM node_pack ORDER BY id DESC LIMIT 1", -1, &statement,
                            NULL));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    uint32_t first = (uint32_t)sqlite3_column_int64(statement, 0);
    must(sqlite3_finalize(statement));
    must(sqlite3_close(database));
    put_chain(first);

    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    must(store_reader__trie(reader, &fault, &trie));
    assert_int_equal(trie->count, first + CHAIN);
    for (uint32_t i = 0; i < CHAIN; i += 997) {
        uint32_t depth = 0;
        for (uint32_t node = first + i; node; node = trie->parents[node])
            depth++;
        assert_in_range(depth, 1, LIMIT_STORE_STACK_FRAMES);
    }
    assert_int_equal(store_reader__damage(reader)->places, 1);
}

static int count_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    (void)row, (void)value;
    ++*(uint64_t *)context;
    return 0;
}

// Packs of a million values each, all alike: some hundred bytes.
static void values_have_a_number(void **state)
{
    (void)state;
    struct packer *packer;
    struct fault fault = {0};
    const struct buf *blob;
    struct stat status;
    uint64_t count = 0;
    struct store_value *values = calloc(PACK_ROWS, sizeof(*values));
    assert_non_null(values);
    for (uint32_t i = 0; i < PACK_ROWS; i++)
        values[i] = (struct store_value){.event = 1, .thread = 1, .node = 1, .count = 1, .value = 1};
    make_store();
    run_sql("DELETE FROM value_pack");
    must(packer__new(&packer));
    must(packer__pack_values(packer, values, PACK_ROWS, &blob));
    for (sqlite3_int64 i = 1; i <= PACKS; i++)
        put_blob("INSERT INTO value_pack VALUES (?, ?, ?)", 1 << 16 | i, PACK_ROWS, blob);
    packer__free(packer);
    free(values);
    for (int i = 1; i <= PACKS; i++) { // events of an interval
        char text[100];
        snprintf(text, sizeof(text), "INSERT OR IGNORE INTO event VALUES (%d, 'e%d', 'x', '', 1, 0)", i, i);
        run_sql(text);
    }

    must(stat(path, &status));
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    must(store_reader__values(reader, &(struct store_query){0}, &fault, count_value, &count));
    assert_in_range(count, LIMIT_STORE_PACK_ROWS, LIMIT_STORE_ROWS(status.st_size));
    assert_int_equal(store_reader__damage(reader)->places, PACKS - count / PACK_ROWS);
}

// A file that says it has a terabyte, and is a hole.
static void a_hole_is_no_room_for_ids(void **state)
{
    (void)state;
    static const uint8_t pages[] = {0x40, 0, 0, 0}; // of 1 KiB
    make_store();
    run_sql("INSERT INTO process VALUES (60000000, 1, 1, 1, 1, '', '', '', '')");
    _cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, pages, sizeof(pages), 28), sizeof(pages));
    if (ftruncate(fd, 1ll << 40) != 0) {
        print_message("[  SKIP  ] this file system has no files of a terabyte\n");
        skip();
    }
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    assert_int_equal(store_reader__damage(reader)->places, 1);
    assert_non_null(strstr(store_reader__damage(reader)->first, "process"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_sqlite_would_run_is_refused),
        cmocka_unit_test(tables_of_others_are_let_be),
        cmocka_unit_test(a_view_that_comes_later_is_not_read),
        cmocka_unit_test(stacks_have_a_depth),
        cmocka_unit_test(values_have_a_number),
        cmocka_unit_test(a_hole_is_no_room_for_ids),
    };
    return cmocka_run_group_tests_name("store: hostile", tests, make_folder, remove_folder);
}
