// Sums by name of a bounded number of names, and the text of metrics.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/metrics/metrics_histograms.h"
#include "collector/metrics/metrics_names.h"
#include "collector/metrics/metrics_page.h"
#include "collector/metrics/metrics_text.h"

static struct metrics_names names;
static struct metrics_totals totals;

static int begin(void **state)
{
    (void)state;
    memset(&names, 0, sizeof(names));
    memset(&totals, 0, sizeof(totals));
    return 0;
}

// The sum that is told of a name; UINT64_MAX: none is.
static uint64_t told(const char *name)
{
    struct metrics_name list[LIMIT_METRICS_NAMES];
    size_t count = metrics_names__list(&names, list);
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].told_ns;
    return UINT64_MAX;
}

static uint64_t told_ever(void)
{
    uint64_t sum = names.others_ns + names.forgotten_ns;
    for (size_t i = 0; i < names.count; i++)
        sum += names.candidates[i].name.told_ns;
    return sum;
}

static void few_names_are_all_told(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        metrics_names__add(&names, "nginx.service", 10);
        metrics_names__add(&names, "nginx.service", 5);
        metrics_names__add(&names, "cron.service", 1);
        metrics_names__end(&names);
    }
    assert_int_equal(told("nginx.service"), 75);
    assert_int_equal(told("cron.service"), 5);
    assert_int_equal(names.others_ns, 0);
}

static void a_name_like_that_of_the_others_is_among_them(void **state)
{
    (void)state;
    metrics_names__add(&names, METRICS_OTHERS, 7);
    metrics_names__end(&names);
    assert_int_equal(told(METRICS_OTHERS), UINT64_MAX);
    assert_int_equal(names.others_ns, 7);
}

// More names than are told or remembered, some of which come and go.
static void each_nanosecond_is_told_once(void **state)
{
    static uint64_t before[1000];
    uint64_t others_before = 0, forgotten_before = 0, added = 0;
    (void)state;
    srand(1);
    memset(before, 0, sizeof(before));
    for (int interval = 0; interval < 300; interval++) {
        char name[16];
        for (int i = 0; i < 200; i++) {
            uint64_t ns = (uint64_t)(rand() % 100) * (uint64_t)(rand() % 50 ? 1 : 1000);
            snprintf(name, sizeof(name), "%d", rand() % 1000);
            metrics_names__add(&names, name, ns);
            added += ns;
        }
        metrics_names__end(&names);
        assert_int_equal(told_ever(), added);
        assert_true(names.others_ns >= others_before);
        uint64_t fallen = 0;
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof(name), "%d", i);
            uint64_t now = told(name);
            if (now == UINT64_MAX)
                continue;
            fallen += now < before[i];
            before[i] = now;
        }
        // Only one that was forgotten begins anew.
        assert_true(fallen == 0 || names.forgotten_ns > 0);
        assert_true(names.forgotten_ns >= forgotten_before);
        others_before = names.others_ns;
        forgotten_before = names.forgotten_ns;
    }
    assert_int_equal(names.told_count, LIMIT_METRICS_NAMES);
    assert_true(names.others_ns > 0);
}

static void the_heaviest_are_told(void **state)
{
    (void)state;
    for (int interval = 0; interval < 20; interval++) {
        for (int i = 0; i < 2 * LIMIT_METRICS_CANDIDATES; i++) {
            char name[16];
            snprintf(name, sizeof(name), "light%d", i);
            metrics_names__add(&names, name, 1);
        }
        if (interval >= 10)
            metrics_names__add(&names, "heavy", 1000);
        metrics_names__end(&names);
    }
    assert_int_equal(told("heavy"), 10 * 1000);
    assert_int_equal(told_ever(), 20 * 2 * LIMIT_METRICS_CANDIDATES + 10 * 1000);
}

// One that makes place for others keeps what it has.
static void a_name_goes_on_when_it_comes_back(void **state)
{
    (void)state;
    metrics_names__add(&names, "comes", 10);
    metrics_names__end(&names);
    for (int interval = 0; interval < 100; interval++) {
        for (int i = 0; i < LIMIT_METRICS_NAMES; i++) {
            char name[16];
            snprintf(name, sizeof(name), "busy%d", i);
            metrics_names__add(&names, name, 50);
        }
        metrics_names__end(&names);
    }
    assert_int_equal(told("comes"), UINT64_MAX);
    metrics_names__add(&names, "comes", 100000);
    metrics_names__end(&names);
    assert_int_equal(told("comes"), 100010);
}

static void a_long_name_keeps_its_end(void **state)
{
    char name[600], out[METRICS_NAME_BYTES];
    (void)state;
    memset(name, 'a', sizeof(name));
    memcpy(name + sizeof(name) - 7, "/nginx", 7);
    metrics_name__clean(name, out, sizeof(out));
    assert_int_equal(strlen(out), METRICS_NAME_BYTES - 1);
    assert_string_equal(out + strlen(out) - 6, "/nginx");
    metrics_name__clean("a\nb", out, sizeof(out));
    assert_string_equal(out, "a\\x0ab");
}

// --- Histograms and text

static void add(const char *event, const char *key, const char *unit, uint64_t value)
{
    uint64_t counts[BUCKETS_TOTAL] = {0};
    const struct store_histogram histogram = {
        .key = key, .sum = (wide)value, .counts = counts, .count_of_buckets = BUCKETS_TOTAL};
    counts[bucket__of(value)] = 1;
    metrics_histograms__add(&totals, event, unit, &histogram);
}

static char *text_of(enum metrics_format format)
{
    struct buf buf = {0};
    metrics_text__append(&buf, &totals, format);
    buf__append_byte(&buf, 0);
    assert_false(buf.failed);
    return (char *)buf.data;
}

static void buckets_have_the_values_up_to_their_bound(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 1024; value *= 2) {
        add("sizes", "", "bytes", value);
        add("sizes", "", "bytes", value - 1);
    }
    char *text = text_of(METRICS_OPENMETRICS);
    // 0; 1, 0, 1; 2, 1, 3; ...: a power of two is above the bound before it.
    assert_non_null(strstr(text, "hearth_event_bytes_bucket{event=\"sizes\",le=\"0.0\"} 1\n"));
    assert_non_null(strstr(text, "hearth_event_bytes_bucket{event=\"sizes\",le=\"1.0\"} 3\n"));
    assert_non_null(strstr(text, "hearth_event_bytes_bucket{event=\"sizes\",le=\"3.0\"} 5\n"));
    assert_non_null(strstr(text, "hearth_event_bytes_bucket{event=\"sizes\",le=\"1023.0\"} 21\n"));
    assert_non_null(strstr(text, "hearth_event_bytes_bucket{event=\"sizes\",le=\"+Inf\"} 22\n"));
    assert_non_null(strstr(text, "hearth_event_bytes_sum{event=\"sizes\"} 4083\n"));
    assert_non_null(strstr(text, "hearth_event_bytes_count{event=\"sizes\"} 22\n"));
    free(text);
}

static void times_are_seconds(void **state)
{
    (void)state;
    add("runq", "nginx", "ns", 1500000001);
    char *text = text_of(METRICS_OPENMETRICS);
    assert_non_null(strstr(text, "hearth_event_seconds_bucket{event=\"runq\",key=\"nginx\",le=\"1.073741823\"} 0\n"));
    assert_non_null(strstr(text, "hearth_event_seconds_bucket{event=\"runq\",key=\"nginx\",le=\"2.147483647\"} 1\n"));
    assert_non_null(strstr(text, "hearth_event_seconds_sum{event=\"runq\",key=\"nginx\"} 1.500000001\n"));
    free(text);
}

static void values_below_zero_have_no_sum(void **state)
{
    uint64_t counts[BUCKETS_TOTAL] = {0};
    const struct store_histogram histogram = {
        .key = "", .sum = -5, .counts = counts, .count_of_buckets = BUCKETS_TOTAL};
    (void)state;
    counts[BUCKET_COUNT + bucket__of(5)] = 1;
    metrics_histograms__add(&totals, "offsets", "count", &histogram);
    add("offsets", "", "count", 1);
    char *text = text_of(METRICS_PLAIN);
    assert_non_null(strstr(text, "hearth_event_value_bucket{event=\"offsets\",le=\"0.0\"} 1\n"));
    assert_non_null(strstr(text, "hearth_event_value_bucket{event=\"offsets\",le=\"+Inf\"} 2\n"));
    assert_null(strstr(text, "_sum{event=\"offsets\""));
    free(text);
}

static void more_keys_than_may_be_are_one(void **state)
{
    uint64_t count = 0;
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", (int)i);
        add("a", key, "ns", i);
        add("b", key, "ns", i);
    }
    assert_true(totals.histogram_count <= LIMIT_METRICS_HISTOGRAMS);
    for (size_t i = 0; i < totals.histogram_count; i++)
        count += totals.histograms[i].count;
    assert_int_equal(count, 2000);
}

static void labels_are_escaped(void **state)
{
    (void)state;
    totals.name_count[METRICS_BY_COMM] = 1;
    strcpy(totals.names[METRICS_BY_COMM][0].name, "a\"b\\c\nd");
    totals.names[METRICS_BY_COMM][0].told_ns = 1000000001;
    char *text = text_of(METRICS_PLAIN);
    assert_non_null(strstr(text, "\nhearth_comm_cpu_seconds_total{comm=\"a\\\"b\\\\c\\nd\"} 1.000000001\n"));
    assert_non_null(strstr(text, "# TYPE hearth_comm_cpu_seconds_total counter\n"));
    assert_null(strstr(text, "# EOF"));
    free(text);
}

static void the_page_has_what_was_written_last(void **state)
{
    static struct metrics_totals read;
    struct metrics_page page;
    unsigned first, second;
    (void)state;
    assert_int_equal(metrics_page__new(&page), 0);
    totals.cpu_ns = 1;
    metrics_page__write(&page, &totals);
    assert_int_equal(metrics_page__read(&page, &read, &first), 0);
    totals.cpu_ns = 2;
    metrics_page__write(&page, &totals);
    assert_int_equal(metrics_page__read(&page, &read, &second), 0);
    assert_int_equal(read.cpu_ns, 2);
    assert_int_not_equal(first, second);
    metrics_page__release(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(few_names_are_all_told, begin),
        cmocka_unit_test_setup(a_name_like_that_of_the_others_is_among_them, begin),
        cmocka_unit_test_setup(each_nanosecond_is_told_once, begin),
        cmocka_unit_test_setup(the_heaviest_are_told, begin),
        cmocka_unit_test_setup(a_name_goes_on_when_it_comes_back, begin),
        cmocka_unit_test_setup(a_long_name_keeps_its_end, begin),
        cmocka_unit_test_setup(buckets_have_the_values_up_to_their_bound, begin),
        cmocka_unit_test_setup(times_are_seconds, begin),
        cmocka_unit_test_setup(values_below_zero_have_no_sum, begin),
        cmocka_unit_test_setup(more_keys_than_may_be_are_one, begin),
        cmocka_unit_test_setup(labels_are_escaped, begin),
        cmocka_unit_test_setup(the_page_has_what_was_written_last, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
