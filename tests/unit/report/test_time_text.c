// Times as journalctl takes them, in a zone with summer time.
#include "report/text/time_text.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define SECOND 1000000000ull
// 2026-11-21 13:00:00 in Berlin (UTC+1).
#define NOW (1795262400 * SECOND)

static void assert_time(const char *text, uint64_t expected_ns)
{
    struct fault fault = {0};
    uint64_t ns = 0;
    int err = time_text__parse(text, NOW, &fault, &ns);
    if (err || ns != expected_ns)
        print_error("'%s': err %d, %lld s off\n", text, err, (long long)(ns - expected_ns) / 1000000000);
    assert_int_equal(err, 0);
    assert_true(ns == expected_ns);
}

static void times_mean_what_journalctl_means(void **state)
{
    (void)state;
    assert_time("now", NOW);
    assert_time("-1h", NOW - 3600 * SECOND);
    assert_time("-1h30min", NOW - 5400 * SECOND);
    assert_time("-90", NOW - 90 * SECOND);
    assert_time("+5min", NOW + 300 * SECOND);
    assert_time("2 days ago", NOW - 2 * 86400 * SECOND);
    assert_time("1h 5m ago", NOW - 3900 * SECOND);
    assert_time("-500ms", NOW - SECOND / 2);
    assert_time("today", NOW - 13 * 3600 * SECOND);
    assert_time("yesterday", NOW - 37 * 3600 * SECOND);
    assert_time("tomorrow", NOW + 11 * 3600 * SECOND);
    assert_time("12:30", NOW - 1800 * SECOND);
    assert_time("12:30:05.5", NOW - 1795 * SECOND + SECOND / 2);
    assert_time("2026-11-21", NOW - 13 * 3600 * SECOND);
    assert_time("2026-11-21 12:30", NOW - 1800 * SECOND);
    assert_time("2026-11-21T12:30:00", NOW - 1800 * SECOND);
    assert_time("2026-11-21 12:30 UTC", NOW + 1800 * SECOND);
    assert_time("2026-11-21T12:30:00Z", NOW + 1800 * SECOND);
    assert_time("2026-11-21T12:30:00+02:00", NOW - 5400 * SECOND);
    assert_time("2026-07-01 12:00", 1782900000 * SECOND); // summer time: 10:00 UTC
    assert_time("@1795262400", NOW);
    assert_time("@1795262400.25", NOW + SECOND / 4);
    assert_time("@1795262400.123456789", NOW + 123456789);
    assert_time("@1795262400.000000001", NOW + 1);
    assert_time("@1795262400.9999999999", NOW + 999999999);
    for (uint64_t ns = 1; ns < SECOND; ns += 99991) { // each is kept to the nanosecond: it is an interval's bound
        char text[32];
        (void)snprintf(text, sizeof(text), "@1795262400.%09" PRIu64, ns);
        assert_time(text, NOW + ns);
    }
    assert_time("@0", 1); // 0 would mean no bound
}

static void other_words_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "1h",
                                      "-",
                                      "-1x",
                                      "25:61",
                                      "12",
                                      "12:3",
                                      "2026-13-01",
                                      "2026-02-30",
                                      "@",
                                      "@-1",
                                      "@1x",
                                      "@1.",
                                      "@1.5e3",
                                      "-1h ago",
                                      "yesterdays",
                                      "12:30 Mars",
                                      "2026-11-21 12:30 +2",
                                      "@99999999999999999999",
                                      "-999999999y",
                                      "2026-11-2112:30"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fault fault = {0};
        uint64_t ns = 7;
        if (time_text__parse(bad[i], NOW, &fault, &ns) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(ns, 7);
        assert_int_equal(fault.code, EXIT_CODE_USAGE);
    }
}

int main(void)
{
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_mean_what_journalctl_means),
        cmocka_unit_test(other_words_are_refused),
    };
    return cmocka_run_group_tests_name("time_text", tests, NULL, NULL);
}
