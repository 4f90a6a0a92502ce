// A histogram over more intervals than the drawing has columns, with time between them that was not recorded: the cells
// of `-f heatmap-svg` add up, bucket by bucket, to those of `-f hist`, of the whole store and of ranges.
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "report/histograms/time_axis.h"
#include "report/query/report.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "tests/unit/report/sample_store.h"

#define INTERVALS   (LIMIT_HEATMAP_COLUMNS + 217u)
#define GAP_FIRST   300u // as long as 40 intervals
#define INTERVAL_NS 1000000007ull

static char folder[64], store[96], output[96];

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static uint64_t start_ns(uint32_t interval)
{
    return SAMPLE_START_NS + (interval + (interval >= GAP_FIRST ? 40 : 0)) * INTERVAL_NS;
}

static void append(struct store_writer *writer, uint32_t event, uint32_t interval, uint32_t *seed)
{
    uint64_t counts[BUCKET_COUNT] = {0}, count = 0, sum = 0;
    for (uint32_t i = draw(seed) % 9; i > 0; i--) {
        uint64_t value = 1000ull << draw(seed) % 12, values = 1 + draw(seed) % 40;
        counts[bucket__of(value)] += values;
        count += values;
        sum += values * value;
    }
    struct fault fault = {0};
    struct store_histogram histogram = {event, "", (wide)sum, 1000, 2048000, 0, counts, BUCKET_COUNT};
    struct store_interval row = {.start_ns = start_ns(interval), .end_ns = start_ns(interval) + INTERVAL_NS};
    if (store_writer__append(writer, &row, NULL, 0, &histogram, count > 0, &fault))
        fail_msg("%s", fault.text);
}

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    snprintf(folder, sizeof(folder), "/tmp/hearth-heatmap-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(store, sizeof(store), "%s/s.db", folder);
    snprintf(output, sizeof(output), "%s/out", folder);
    const struct store_meta meta = {.host = "box", .cpu_count = 2};
    struct fault fault = {0};
    struct store_writer *writer = NULL;
    if (store_writer__create(store, &meta, &fault, &writer))
        fail_msg("%s", fault.text);
    uint32_t event, seed = 11;
    store_writer__event(writer, &(struct store_event){.name = "runq", .unit = "ns", .detail = "", .is_histogram = true},
                        &event);
    for (uint32_t i = 0; i < INTERVALS; i++)
        append(writer, event, i, &seed);
    return store_writer__close(writer, &fault);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(store);
    unlink(output);
    return rmdir(folder);
}

static char *write_report(const char *format, const char *path, uint64_t since_ns, uint64_t until_ns)
{
    struct fault fault = {0};
    struct report_request request = {.format = format, .since_ns = since_ns, .until_ns = until_ns};
    if (report__write(store, &request, path, NULL, &fault))
        fail_msg("%s", fault.text);
    _cleanup_file_ FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    unlink(path);
    return text;
}

// "[1.02 us, 1.15 us): 12" of each cell, by bucket.
static void add_cells(const char *svg, uint64_t ret_counts[BUCKETS_TOTAL])
{
    for (const char *at = svg; (at = strstr(at, "<title>")) != NULL; at++) {
        double low, high;
        char low_unit[4], high_unit[4];
        uint64_t count;
        if (strncmp(at, "<title>not recorded", strlen("<title>not recorded")) == 0)
            continue;
        assert_non_null(at = strchr(at, '['));
        assert_int_equal(sscanf(at, "[%lf %3[a-z], %lf %3[a-z]): %" SCNu64, &low, low_unit, &high, high_unit, &count),
                         5);
        double size = strcmp(low_unit, "ns") == 0 ? 1 : strcmp(low_unit, "us") == 0 ? 1e3 : 1e6;
        ret_counts[bucket__of((uint64_t)(low * size * 1.03))] += count;
    }
}

static void add_buckets(const char *json, uint64_t ret_counts[BUCKETS_TOTAL])
{
    for (const char *at = json; (at = strstr(at, "{\"low\":")) != NULL; at++) {
        uint64_t low, high, count;
        assert_int_equal(
            sscanf(at, "{\"low\":%" SCNu64 ",\"high\":%" SCNu64 ",\"count\":%" SCNu64, &low, &high, &count), 3);
        ret_counts[bucket__of(low)] += count;
    }
}

static void assert_sums(uint64_t since_ns, uint64_t until_ns)
{
    char json_path[128];
    snprintf(json_path, sizeof(json_path), "%s.json", output);
    _cleanup_free_ char *svg = write_report("heatmap-svg", output, since_ns, until_ns);
    _cleanup_free_ char *again = write_report("heatmap-svg", output, since_ns, until_ns);
    _cleanup_free_ char *json = write_report("hist", json_path, since_ns, until_ns);
    uint64_t drawn[BUCKETS_TOTAL] = {0}, stored[BUCKETS_TOTAL] = {0};
    assert_string_equal(svg, again);
    add_cells(svg, drawn);
    add_buckets(json, stored);
    assert_true(stored[bucket__of(1000)] > 0);
    for (uint32_t i = 0; i < BUCKETS_TOTAL; i++)
        assert_int_equal(drawn[i], stored[i]);
}

static void cells_add_up(void **state)
{
    (void)state;
    assert_sums(0, 0);
    // Ranges that begin and end inside of intervals.
    assert_sums(start_ns(100) + INTERVAL_NS / 3, start_ns(600) + INTERVAL_NS / 7);
    assert_sums(start_ns(7) + 5, start_ns(9) + 5);
    assert_sums(start_ns(0) - 90 * INTERVAL_NS, start_ns(20) + 1);
}

static void time_not_recorded_is_hatched(void **state)
{
    (void)state;
    _cleanup_free_ char *svg = write_report("heatmap-svg", output, 0, 0);
    char words[64];
    time_t first = (time_t)(start_ns(GAP_FIRST - 1) / 1000000000u + 1);
    strftime(words, sizeof(words), "not recorded: %H:%M:", gmtime(&first));
    assert_non_null(strstr(svg, "class=\"gap\""));
    assert_null(strstr(strstr(svg, "class=\"gap\"") + 1, "class=\"gap\""));
    assert_non_null(strstr(svg, words));
    _cleanup_free_ char *none = write_report("heatmap-svg", output, start_ns(0), start_ns(50));
    assert_null(strstr(none, "class=\"gap\""));
}

static void times_are_round(void **state)
{
    (void)state;
    static const struct {
        uint64_t since_s, length_s;
        const char *zone, *first, *second;
    } cases[] = {
        {1795262403, 60, "UTC", "12:00:05", "12:00:10"},
        {1795262403, 7200, "UTC", "12:10", "12:20"},
        {1795262403, 7200, "XYZ-5:45", "17:50", "18:00"},
        {1795262403, 86400 * 9, "UTC", "11-22", "11-23"},
        {1792893600, 86400 * 9, "CET-1CEST,M3.5.0,M10.5.0/3", "10-26", "10-27"}, // an hour is put back on the 25th
        {0, 86400ull * 365 * 55, "UTC", "01-01", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct time_tick ticks[TIME_TICKS_MAX];
        uint64_t since_ns = cases[i].since_s * 1000000000u;
        setenv("TZ", cases[i].zone, 1);
        tzset();
        size_t count = time_axis__ticks(since_ns, since_ns + cases[i].length_s * 1000000000u, 0.07, ticks);
        assert_true(count > 1 && count <= 15);
        assert_string_equal(ticks[0].words, cases[i].first);
        if (cases[i].second)
            assert_string_equal(ticks[1].words, cases[i].second);
        for (size_t j = 0; j < count; j++)
            assert_true(ticks[j].place >= (j ? ticks[j - 1].place + 0.069 : 0) && ticks[j].place <= 1);
    }
    setenv("TZ", "UTC", 1);
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_add_up),
        cmocka_unit_test(time_not_recorded_is_hatched),
        cmocka_unit_test(times_are_round),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
