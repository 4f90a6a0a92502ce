// The words of the filters.
#include "report/query/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void bucket_ranges_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t low, high; // 0: none
    } good[] = {
        {"16ms..", 16000000, 0},
        {"..1.5us", 0, 1500},
        {"4KiB..1MiB", 4096, 1048576},
        {"1..2", 1, 2},
        {"1s..1min", 1000000000, 60000000000},
        {"-16..-1", -16, -1},
        {"-5..", -5, 0},
        {"..-5", 0, -5},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct report_request request = {0};
        assert_int_equal(filter__bucket(good[i].text, NULL, &request), 0);
        assert_int_equal(request.has_bucket_low, good[i].low != 0);
        assert_int_equal(request.has_bucket_high, good[i].high != 0);
        assert_true(request.bucket_low == good[i].low);
        assert_true(request.bucket_high == good[i].high);
    }
    static const char *const bad[] = {"",      "..",    "16ms",     "2..1",    "1..1",  "a..b",
                                      "2..-1", "--1..", "1ms..2xx", "1e400..", "-1..-2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fault fault = {0};
        struct report_request request = {0};
        if (filter__bucket(bad[i], &fault, &request) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(fault.code, EXIT_CODE_USAGE);
    }
}

static void ids_add_up(void **state)
{
    (void)state;
    struct id_list list = {0};
    assert_int_equal(filter__ids("12,34", &list, NULL), 0);
    assert_int_equal(filter__ids("5", &list, NULL), 0);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.ids[1], 34);
    static const char *const bad[] = {"", ",", "1,", ",1", "1 2", "-1", "x", "99999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (filter__ids(bad[i], &list, NULL) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
    free(list.ids);
}

static void a_store_has_no_cpus(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct report_request request;
    assert_int_equal(filter__request(&(struct filter){.cpu = "0-3"}, &fault, &request), -EINVAL);
    assert_int_equal(fault.code, EXIT_CODE_USAGE);
    assert_non_null(strstr(fault.text, "does not keep on which CPU"));
}

static void users_are_names_or_numbers(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct report_request request;
    assert_int_equal(filter__request(&(struct filter){.uid = "root"}, &fault, &request), 0);
    assert_true(request.has_uid && request.uid == 0);
    assert_int_equal(filter__request(&(struct filter){.uid = "54321"}, &fault, &request), 0);
    assert_int_equal(request.uid, 54321);
    assert_int_equal(filter__request(&(struct filter){.uid = "no such user"}, &fault, &request), -EINVAL);
}

static void ranges_run_forward(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct report_request request;
    assert_int_equal(filter__request(&(struct filter){.since = "-1h", .until = "-2h"}, &fault, &request), -EINVAL);
    assert_int_equal(fault.code, EXIT_CODE_USAGE);
    assert_int_equal(filter__request(&(struct filter){.since = "@10", .until = "@20"}, &fault, &request), 0);
    assert_true(request.since_ns == 10000000000 && request.until_ns == 20000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_ranges_have_units), cmocka_unit_test(ids_add_up),
        cmocka_unit_test(a_store_has_no_cpus),      cmocka_unit_test(users_are_names_or_numbers),
        cmocka_unit_test(ranges_run_forward),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
