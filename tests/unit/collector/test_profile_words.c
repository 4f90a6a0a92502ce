// The parameters of /debug/pprof/profile: those that mean something, and the words that the maker is told.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/pprof/profile_words.h"

static struct metrics_totals totals;
static struct profile_order order;
static struct question question;
static struct fault fault;
static uint32_t seconds;

static int begin(void **state)
{
    (void)state;
    memset(&totals, 0, sizeof(totals));
    memset(&order, 0, sizeof(order));
    memset(&question, 0, sizeof(question));
    memset(&fault, 0, sizeof(fault));
    seconds = 0;
    return 0;
}

static int with(const char *name, const char *value)
{
    question__add(&question, name, value);
    return profile_words__read(&question, &totals, &fault, &order, &seconds);
}

static int of(const char *name, const char *value)
{
    begin(NULL);
    return with(name, value);
}

static void nothing_is_all_of_thirty_seconds(void **state)
{
    (void)state;
    assert_int_equal(profile_words__read(&question, &totals, &fault, &order, &seconds), 0);
    assert_int_equal(seconds, 30);
    assert_int_equal(order.word_count, 0);
}

static void words_are_names_and_values_without_seconds(void **state)
{
    static const char words[] = "unit\0nginx\0pid\00012,13";
    (void)state;
    assert_int_equal(with("unit", "nginx"), 0);
    begin(NULL);
    question__add(&question, "unit", "nginx");
    question__add(&question, "seconds", "7");
    assert_int_equal(with("pid", "12,13"), 0);
    assert_int_equal(seconds, 7);
    assert_int_equal(order.word_count, 2);
    assert_memory_equal(order.words, words, sizeof(words));
}

static void bad_words_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"seconds", "0"},  {"seconds", ""},   {"seconds", "301"}, {"seconds", "-1"},
        {"seconds", "1s"}, {"seconds", " 1"}, {"pid", ""},        {"pid", "1,"},
        {"pid", "-1"},     {"from", "@1"},    {"input", "/x"},    {"uid", "root"},
        {"", ""},          {"Seconds", "1"},  {"focus", "x"},     {"seconds", "18446744073709551617"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_not_equal(of(bad[i][0], bad[i][1]), 0);
        assert_true(*fault.text);
        assert_null(strchr(fault.text, '\n'));
    }
}

static void an_event_must_be_sampled_once_an_interval_is_known(void **state)
{
    (void)state;
    assert_int_equal(of("event", "nope"), 0);
    begin(NULL);
    totals.intervals = 1;
    snprintf(totals.events[0], sizeof(totals.events[0]), "cpu");
    snprintf(totals.events[WIRE_EVENTS_MAX - 1], sizeof(totals.events[0]), "off-cpu");
    assert_int_equal(with("event", "off-cpu"), 0);
    memset(&question, 0, sizeof(question));
    assert_int_not_equal(with("event", "nope"), 0);
    assert_non_null(strstr(fault.text, "cpu, off-cpu"));
}

// At each length near the room, it is refused or has its end in the order.
static void words_end_within_the_order(void **state)
{
    static char value[2 * LIMIT_PPROF_WORD_BYTES];
    size_t kept = 0;
    (void)state;
    for (size_t length = LIMIT_PPROF_WORD_BYTES - 16; length < LIMIT_PPROF_WORD_BYTES + 16; length++) {
        memset(value, 'x', length);
        value[length] = '\0';
        bool is_kept = of("cgroup", value) == 0;
        assert_true(!is_kept || order.words[sizeof(order.words) - 1] == '\0');
        assert_true(!is_kept || strcmp(order.words + sizeof("cgroup"), value) == 0);
        kept += is_kept;
    }
    assert_in_range(kept, 1, 31);
}

static void too_many_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIMIT_SERVE_PARAMETERS; i++)
        question__add(&question, "comm", "x");
    assert_int_not_equal(with("comm", "x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_all_of_thirty_seconds, begin),
        cmocka_unit_test_setup(words_are_names_and_values_without_seconds, begin),
        cmocka_unit_test_setup(bad_words_are_refused, begin),
        cmocka_unit_test_setup(an_event_must_be_sampled_once_an_interval_is_known, begin),
        cmocka_unit_test_setup(words_end_within_the_order, begin),
        cmocka_unit_test_setup(too_many_are_refused, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
