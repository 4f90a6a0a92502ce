// Rules of the daemon's file: as they are read, what is refused, and when they ask for more to be recorded.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/daemon/rule.h"

#define SECOND_NS 1000000000ull

static struct rule parsed(const char *text)
{
    struct rule rule;
    struct fault fault = {0};
    assert_int_equal(rule__parse(text, &rule, &fault), 0);
    return rule;
}

static void conditions_are_read(void **state)
{
    (void)state;
    struct rule rule = parsed("cpu of unit nginx > 150% for 30s: -F 999 -d 60");
    assert_int_equal(rule.kind, RULE_CPU);
    assert_int_equal(rule.who, RULE_UNIT);
    assert_string_equal(rule.name, "nginx");
    assert_true(rule.above == 150 && rule.hold_ns == 30 * SECOND_NS);
    assert_int_equal(rule.word_count, 4);
    assert_string_equal(rule.words, "-F");
    rule = parsed("cpu of comm worker* > 90.5%");
    assert_int_equal(rule.who, RULE_COMM);
    assert_true(rule.above == 90.5 && rule.hold_ns == 0 && rule.word_count == 8);
    rule = parsed("cpu of user root > 0%");
    assert_int_equal(rule.id, 0);
    rule = parsed("p99 of uprobe:/usr/bin/a:handle > 50ms");
    assert_int_equal(rule.kind, RULE_P99);
    assert_string_equal(rule.name, "uprobe:/usr/bin/a:handle");
    assert_true(rule.above == 50e6);
    rule = parsed("cpu pressure > 10% for 1s: -d 5");
    assert_int_equal(rule.kind, RULE_PRESSURE);
    assert_string_equal(rule.name, "cpu");
}

static void a_bad_rule_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } bad[] = {
        {"disk of unit a > 1%", "no such condition"},
        {"cpu of nginx > 1%", "cpu of whom"},
        {"cpu of pid abc > 1%", "the pid is no number"},
        {"cpu of user nobody-of-that-name > 1%", "there is no such user"},
        {"cpu of unit a < 1%", "'>' is missing"},
        {"cpu of unit a > much", "no share such as"},
        {"p99 of runq > 20%", "no time such as 20ms"},
        {"memory pressure > 10% for ever", "no time such as 30s"},
        {"memory pressure > 10% always", "only 'for TIME'"},
        {"memory pressure > 10%: -F 99", "give -d SECONDS"},
        {"memory pressure > 10%: -d 5 sh", "starts no command"},
        {"memory pressure > 10%: -d 5 -o /etc/passwd", "leave -o out"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rule rule;
        struct fault fault = {0};
        assert_int_equal(rule__parse(bad[i].text, &rule, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, bad[i].reason));
    }
}

// Intervals of a second from `first` on; returns how often the rule asked.
static unsigned judge(struct rule *rule, uint64_t first, uint64_t count, double value)
{
    unsigned asked = 0;
    for (uint64_t i = first; i < first + count; i++)
        asked += rule__judge(rule, value, i * SECOND_NS, (i + 1) * SECOND_NS);
    return asked;
}

static void a_condition_must_hold_for_its_time(void **state)
{
    (void)state;
    struct rule rule = parsed("cpu of comm a > 90% for 3s");
    assert_int_equal(judge(&rule, 100, 2, 100), 0);
    assert_int_equal(judge(&rule, 102, 1, 50), 0);
    assert_int_equal(judge(&rule, 103, 2, 100), 0);
    assert_int_equal(judge(&rule, 105, 1, 100), 1);
    rule = parsed("cpu of comm a > 90%");
    assert_int_equal(judge(&rule, 100, 1, 90), 0);
    assert_int_equal(judge(&rule, 101, 1, 91), 1);
}

static void one_that_comes_and_goes_asks_as_seldom_as_one_that_stays(void **state)
{
    (void)state;
    struct rule rule = parsed("cpu of comm a > 90%");
    unsigned asked = 0;
    uint64_t seconds = 6 * LIMIT_RULE_PAUSE_NS / SECOND_NS;
    for (uint64_t i = 0; i < seconds; i++)
        asked += judge(&rule, 1000 + i, 1, i % 2 ? 10 : 100);
    assert_in_range(asked, 5, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_read),
        cmocka_unit_test(a_bad_rule_is_refused_with_its_reason),
        cmocka_unit_test(a_condition_must_hold_for_its_time),
        cmocka_unit_test(one_that_comes_and_goes_asks_as_seldom_as_one_that_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
