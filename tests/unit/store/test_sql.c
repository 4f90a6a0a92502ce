// SQL over a store: its plain tables are those of the file, its unpacked ones add up to what was written, a condition
// that is used to read less never changes the answer, and the queries of the help run.
#include "store/sql/sql.h"

#include <sqlite3.h>

#include "report/commands/cmd_sql.h"
#include "store/base/bucket.h"
#include "store/base/buf.h"
#include "tests/unit/store/load.h"

static char folder[PATH_MAX], path[PATH_MAX];
static struct store_reader *reader;
static struct store_sql *sql;
static struct model written;

static bool all_of_it(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)thread, (void)bucket, (void)start_ns;
    return true;
}

static const uint64_t counts[BUCKET_COUNT] = {[3] = 4, [100] = 5, [BUCKET_COUNT - 1] = 6};

static int make_store(void **state)
{
    (void)state;
    struct fault fault = {0};
    scratch__make(folder);
    snprintf(path, sizeof(path), "%.4000s/x.db", folder);
    setenv("TZ", "UTC", 1);
    struct store_writer *writer = create(path);
    declare_events(writer);
    random_state = 5;
    for (uint64_t i = 0; i < 8; i++)
        must(append_load(writer, START_NS + i * 10 * SECOND_NS, 20, all_of_it, &written, &fault));
    struct store_histogram histogram = {
        .event = 3, .key = "bash", .sum = 7, .min = 1, .max = 9, .counts = counts, .count_of_buckets = BUCKET_COUNT};
    struct store_interval interval = {.start_ns = START_NS + 80 * SECOND_NS, .end_ns = START_NS + 90 * SECOND_NS};
    must(store_writer__append(writer, &interval, NULL, 0, &histogram, 1, &fault));
    static const struct store_incident incidents[] = {
        {.start_ns = START_NS,
         .end_ns = START_NS + SECOND_NS,
         .rule = "runq p99 > 20ms",
         .culprit = "",
         .value = "31 ms",
         .file = ""},
        {.start_ns = START_NS + 9 * SECOND_NS,
         .end_ns = START_NS + 60 * SECOND_NS,
         .rule = "cpu of unit nginx > 150%",
         .culprit = "nginx",
         .value = "210%",
         .file = "20261121T134501Z-1.db"},
    };
    must(store_writer__incident(writer, &incidents[0], &fault));
    must(store_writer__incident(writer, &incidents[1], &fault));
    close_writer(writer);
    reader = open_store(path);
    must(store_sql__new(reader, &fault, &sql));
    return 0;
}

static int remove_store(void **state)
{
    (void)state;
    store_sql__free(sql);
    store_reader__free(reader);
    model__release(&written);
    scratch__remove(folder);
    return 0;
}

// The answer as text: a line a row, columns parted by bars.
static int no_head(int columns, const char *const *names, void *context)
{
    (void)columns, (void)names, (void)context;
    return 0;
}

static int add_row(int columns, const struct store_sql_cell *cells, void *context)
{
    struct buf *text = context;
    for (int i = 0; i < columns; i++) {
        if (i > 0)
            buf__append_byte(text, '|');
        buf__append_string(text, cells[i].text ? cells[i].text : "NULL");
    }
    buf__append_byte(text, '\n');
    return 0;
}

static char *ask(const char *query)
{
    struct buf text = {0};
    struct fault fault = {0};
    struct store_sql_output output = {.head = no_head, .row = add_row, .context = &text};
    if (store_sql__run(sql, query, &output, &fault))
        fail_msg("%s: %s", query, fault.text);
    buf__append_byte(&text, '\0');
    return (char *)text.data;
}

static int add_plain_row(void *context, int columns, char **texts, char **names)
{
    struct store_sql_cell cells[32] = {0};
    (void)names;
    for (int i = 0; i < columns; i++)
        cells[i].text = texts[i];
    return add_row(columns, cells, context);
}

static char *ask_plain(const char *query)
{
    struct buf text = {0};
    sqlite3 *database;
    must(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL));
    must(sqlite3_exec(database, query, add_plain_row, &text, NULL));
    must(sqlite3_close(database));
    buf__append_byte(&text, '\0');
    return (char *)text.data;
}

static void plain_tables_are_those_of_the_file(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "SELECT * FROM event ORDER BY id",
        "SELECT * FROM process ORDER BY id",
        "SELECT * FROM thread ORDER BY id",
        "SELECT id, kind, lower(hex(build_id)), path FROM binary ORDER BY id",
        "SELECT * FROM function ORDER BY id",
        "SELECT * FROM file ORDER BY id",
        "SELECT * FROM frame ORDER BY id",
        "SELECT * FROM frame_line ORDER BY frame, depth",
        "SELECT id, tier_s, start_ns, end_ns, own_cpu_ns, own_bpf_ns, own_rss_bytes FROM interval ORDER BY id",
        "SELECT * FROM total ORDER BY interval, event",
        "SELECT * FROM process_total ORDER BY interval, event, process",
        "SELECT * FROM loss ORDER BY interval, name",
        "SELECT interval, event, key, count, sum, min, max, unmatched FROM histogram_total",
        "SELECT id, start_ns, end_ns, rule, culprit, value, file FROM incident ORDER BY id",
        "SELECT * FROM meta WHERE key NOT IN ('store', 'restarts') ORDER BY key",
    };
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        _cleanup_free_ char *ours = ask(queries[i]), *plain = ask_plain(queries[i]);
        assert_true(strlen(plain) > 10);
        assert_string_equal(ours, plain);
    }
}

static void samples_add_up(void **state)
{
    (void)state;
    char expected[64];
    uint64_t samples = 0;
    for (size_t i = 0; i < written.count; i++)
        samples += written.rows[i].count;
    snprintf(expected, sizeof(expected), "%llu\n", (unsigned long long)samples);
    _cleanup_free_ char *unpacked = ask("SELECT sum(samples) FROM sample"),
                        *beside = ask("SELECT sum(samples) FROM total");
    assert_string_equal(unpacked, expected);
    assert_string_equal(beside, expected);
    _cleanup_free_ char *by_process = ask("SELECT interval, process, sum(samples), sum(value) FROM sample "
                                          "WHERE event = 'cpu' GROUP BY 1, 2 ORDER BY 1, 2");
    _cleanup_free_ char *stored = ask("SELECT t.interval, t.process, t.samples, t.value FROM process_total t "
                                      "JOIN event e ON e.id = t.event WHERE e.name = 'cpu' ORDER BY 1, 2");
    assert_true(strlen(by_process) > 100);
    assert_string_equal(by_process, stored);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The lines of an answer in an order of their own: SQL promises none.
static char *sorted(char *text)
{
    struct buf out = {0};
    char *lines[4000] = {0}, *rest = text;
    size_t count = 0;
    for (char *line; (line = strsep(&rest, "\n"));) {
        assert_true(count < 4000);
        lines[count++] = line;
    }
    qsort(lines, count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < count; i++)
        buf__append_format(&out, "%s\n", lines[i]);
    buf__append_byte(&out, '\0');
    free(text);
    return (char *)out.data;
}

// A LIMIT in between keeps SQLite from telling the table about a condition.
static void conditions_read_less_and_answer_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *table, *columns, *column, *comparison;
    } conditions[] = {
        {"sample", "interval, event, thread, node, bucket, samples, value", "start_ns", ">= 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "start_ns", "> 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "start_ns", "< 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "start_ns", "<= 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "start_ns", "= 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "start_ns", "> 1.70000003e18"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "start_ns", "< '1700000030000000000'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "end_ns", ">= 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "end_ns", "> 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "end_ns", "< 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "end_ns", "<= 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "end_ns", "= 1700000030000000000"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "time",
         "BETWEEN '2023-11-14 22:13:40' AND '2023-11-14 22:14'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "time", "< '2023-11-14 22:13:40'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "time", "> 'yesterday'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "event", "= 'page-faults'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "event", "= 'nothing'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "event", "IN ('cpu', 'page-faults')"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "pid", "= 107"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "pid", "= '107'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "pid", "= 107.0"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "pid", "= -107"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "pid", "IN (101, 107)"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "pid", "IS NULL"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "tid", "= 0"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "comm", "= 'comm3'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "comm", "= 'comm*'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "comm", "GLOB 'c?mm[34]'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "comm", "GLOB '*m2'"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "interval", "= 3"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "interval", "= 0"},
        {"sample", "interval, event, thread, node, bucket, samples, value", "interval", "= 4000"},
        {"total", "*", "event", "= 2"},
        {"process_total", "*", "interval", "= 2"},
        {"process_total", "*", "event", "= 0"},
        {"loss", "*", "interval", "= 3"},
        {"interval", "*", "id", "= 3"},
        {"interval", "*", "start_ns", "> 1700000030000000000"},
        {"histogram", "*", "event", "= 'uprobe:libc:read'"},
        {"histogram", "*", "interval", "= 9"},
        {"process", "*", "id", "= 3"},
        {"frame", "*", "id", "= 33"},
        {"frame_line", "*", "frame", "= 34"},
        {"frame_line", "*", "frame", "= 0"},
        {"function", "*", "id", "= 100000"},
        {"stack", "*", "node", "= 700"},
        {"stack_frame", "*", "node", "= 700"},
        {"stack_frame", "*", "node", "= 'x'"},
    };
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        char with[400], without[400];
        snprintf(with, sizeof(with), "SELECT %s FROM %s WHERE %s %s", conditions[i].columns, conditions[i].table,
                 conditions[i].column, conditions[i].comparison);
        snprintf(without, sizeof(without), "SELECT %s FROM (SELECT * FROM %s LIMIT 99999999) WHERE %s %s",
                 conditions[i].columns, conditions[i].table, conditions[i].column, conditions[i].comparison);
        _cleanup_free_ char *less = sorted(ask(with)), *all = sorted(ask(without));
        if (strcmp(less, all) != 0)
            fail_msg("another answer with the condition: %s", with);
    }
}

// Which way SQLite goes decides between milliseconds and hours.
static void joins_go_by_node(void **state)
{
    (void)state;
    _cleanup_free_ char *plan = ask("EXPLAIN QUERY PLAN SELECT f.function, sum(s.samples) FROM sample s "
                                    "JOIN stack_frame f ON f.node = s.node WHERE s.pid = 1 GROUP BY 1");
    const char *outer = strstr(plan, "SCAN s VIRTUAL TABLE INDEX 0:"), *inner = strstr(plan, "SCAN f VIRTUAL TABLE");
    assert_true(outer && inner && outer < inner);
    assert_non_null(strstr(inner, "INDEX 0:b0"));
}

static void stacks_are_spelled_out(void **state)
{
    (void)state;
    // The root is in a binary whose function has a name and no inlined one (even), the leaf is anything.
    _cleanup_free_ char *depths = ask("SELECT count(*) FROM stack s WHERE depth <> (SELECT count(*) FROM stack_frame f "
                                      "WHERE f.node = s.node AND NOT f.inlined)");
    assert_string_equal(depths, "0\n");
    _cleanup_free_ char *folded = ask(
        "SELECT count(*) FROM stack s WHERE folded <> (SELECT group_concat(function, ';') FROM (SELECT function FROM "
        "stack_frame f WHERE f.node = s.node ORDER BY position DESC))");
    assert_string_equal(folded, "0\n");
    _cleanup_free_ char *leaves = ask("SELECT count(*) FROM stack s JOIN stack_frame f ON f.node = s.node "
                                      "AND f.position = 0 WHERE f.function <> s.leaf");
    assert_string_equal(leaves, "0\n");
    _cleanup_free_ char *repeated =
        ask("SELECT count(*) FROM (SELECT count(*) AS n FROM stack_frame WHERE NOT repeated "
            "GROUP BY node, function HAVING n > 1)");
    assert_string_equal(repeated, "0\n");
    _cleanup_free_ char *counts_of = ask("SELECT (SELECT count(*) FROM stack_frame WHERE NOT repeated) = "
                                         "(SELECT count(*) FROM (SELECT DISTINCT node, function FROM stack_frame))");
    assert_string_equal(counts_of, "1\n");
    _cleanup_free_ char *nameless = ask("SELECT DISTINCT function GLOB '[[]b[0-9]+0x*]' FROM stack_frame "
                                        "WHERE file = '' AND kind = 'user'");
    assert_string_equal(nameless, "1\n");
}

static void histograms_are_unpacked(void **state)
{
    (void)state;
    _cleanup_free_ char *stored = ask("SELECT event, key, bucket, low, high, count FROM histogram WHERE interval = 9");
    assert_string_equal(stored, "uprobe:libc:read|bash|3|3|4|4\n"
                                "uprobe:libc:read|bash|100|24576|26624|5\n"
                                "uprobe:libc:read|bash|495|1.72938225691027e+19|1.84467440737096e+19|6\n");
    _cleanup_free_ char *made = ask("SELECT sum(count) FROM histogram WHERE interval < 9");
    _cleanup_free_ char *kept = ask("SELECT sum(samples) FROM sample WHERE bucket IS NOT NULL");
    assert_string_equal(made, kept);
    _cleanup_free_ char *wrong = ask("SELECT count(*) FROM sample WHERE bucket IS NOT NULL AND NOT (low < high)");
    assert_string_equal(wrong, "0\n");
}

static void mistakes_are_said(void **state)
{
    (void)state;
    static const char *const queries[] = {"SELEC 1", "SELECT nothing FROM sample", "DELETE FROM sample",
                                          "INSERT INTO process (pid) VALUES (1)", "SELECT * FROM nowhere"};
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct fault fault = {0};
        struct buf text = {0};
        struct store_sql_output output = {.head = no_head, .row = add_row, .context = &text};
        assert_int_equal(store_sql__run(sql, queries[i], &output, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, "cannot run the query: "));
        buf__release(&text);
    }
    assert_true(store_sql__is_complete("SELECT 1;"));
    assert_false(store_sql__is_complete("SELECT ';"));
}

// A query of the help: from "    SELECT" to the semicolon.
static const char *next_query(const char *help, char *query, size_t size)
{
    const char *start = strstr(help, "    SELECT"), *end = start ? strchr(start, ';') : NULL;
    if (!end)
        return NULL;
    snprintf(query, size, "%.*s", (int)(end + 1 - start), start);
    return end + 1;
}

static void the_queries_of_the_help_run(void **state)
{
    (void)state;
    char query[1000];
    size_t count = 0;
    for (const char *help = cmd_sql.details; (help = next_query(help, query, sizeof(query))); count++) {
        _cleanup_free_ char *text = ask(query);
        // The first one asks for a program that does not run here, the third for a function that is not there.
        assert_true(count == 0 || count == 2 || strchr(text, '\n'));
    }
    assert_true(count >= 5);
}

// The first query of the help, for a process and a range of this store, against the model of another way: leaves of the
// stacks by hand.
static void top_functions_of_a_process(void **state)
{
    (void)state;
    char query[1000];
    next_query(cmd_sql.details, query, sizeof(query));
    char *comm = strstr(query, "'python3'"), *times = strstr(query, "BETWEEN"), *rest = strstr(query, "\n    GROUP");
    assert_true(comm && times && rest);
    char mine[1200];
    snprintf(mine, sizeof(mine), "%.*s'comm3'%.*sBETWEEN '2023-11-14 22:13:30' AND '2023-11-14 22:13:50'%s",
             (int)(comm - query), query, (int)(times - comm - 9), comm + 9, rest);
    _cleanup_free_ char *answer = ask(mine);
    _cleanup_free_ char *by_hand = ask(
        "SELECT k.leaf, sum(s.samples) AS samples FROM stack k, sample s WHERE +k.node = +s.node AND +s.interval IN "
        "(2, 3, 4) AND +s.comm = 'comm3' AND +s.event = 'cpu' GROUP BY k.leaf ORDER BY samples DESC LIMIT 20");
    assert_true(strlen(answer) > 20);
    // Rows of the same number of samples come in any order: compare the numbers.
    for (char *a = answer, *b = by_hand; a && b; a = strchr(a, '\n'), b = strchr(b, '\n')) {
        a += *a == '\n';
        b += *b == '\n';
        assert_int_equal(atoi(strchr(a, '|') ? strchr(a, '|') + 1 : "0"),
                         atoi(strchr(b, '|') ? strchr(b, '|') + 1 : "0"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_tables_are_those_of_the_file),
        cmocka_unit_test(samples_add_up),
        cmocka_unit_test(conditions_read_less_and_answer_the_same),
        cmocka_unit_test(joins_go_by_node),
        cmocka_unit_test(stacks_are_spelled_out),
        cmocka_unit_test(histograms_are_unpacked),
        cmocka_unit_test(mistakes_are_said),
        cmocka_unit_test(the_queries_of_the_help_run),
        cmocka_unit_test(top_functions_of_a_process),
    };
    return cmocka_run_group_tests_name("store: sql", tests, make_store, remove_store);
}
