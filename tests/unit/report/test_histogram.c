// Histograms: percentiles lie in the right bucket, both pictures say the same, nothing is lost in adding up.
#include "report/histograms/histogram_pictures.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct histogram *find(struct histogram_list *list, const char *by)
{
    struct histogram *histogram;
    assert_int_equal(histogram_list__find(list, "uprobe:./prog:work", "ns", by, &histogram), 0);
    return histogram;
}

// 400 calls of 1 ms and 100 of 16 ms.
static void fill(struct histogram *histogram)
{
    histogram__add_bucket(histogram, bucket__of(1000000), 400, 400 * 1000000ull);
    histogram__add_bucket(histogram, bucket__of(16000000), 100, 100 * 16000000ull);
}

static void percentiles_lie_in_their_bucket(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    struct histogram *histogram = find(&list, "");
    assert_int_equal(histogram__percentile(histogram, 0.5), 0);
    fill(histogram);
    assert_int_equal(histogram->count, 500);
    assert_int_equal(bucket__of(histogram__percentile(histogram, 0.5)), bucket__of(1000000));
    assert_int_equal(bucket__of(histogram__percentile(histogram, 0.8)), bucket__of(1000000)); // the 400th
    assert_int_equal(bucket__of(histogram__percentile(histogram, 0.802)), bucket__of(16000000));
    assert_int_equal(bucket__of(histogram__percentile(histogram, 1)), bucket__of(16000000));
    histogram_list__release(&list);
}

static void stored_counts_bring_their_extremes(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    struct histogram *histogram = find(&list, "nginx");
    uint64_t counts[BUCKET_COUNT] = {[3] = 2, [100] = 1};
    assert_int_equal(histogram__add_counts(histogram, counts, 101, 3 * 2 + bucket__low(100), 3, bucket__low(100)), 0);
    assert_int_equal(histogram->min, 3);
    assert_int_equal(histogram__percentile(histogram, 0.99), bucket__low(100)); // the bucket's end lies beyond
    assert_int_equal(histogram__percentile(histogram, 0.5), 3);
    assert_int_equal(histogram__add_counts(histogram, counts, BUCKETS_TOTAL + 1, 0, 0, 0), -EINVAL);
    assert_ptr_equal(find(&list, "nginx"), histogram);
    assert_ptr_not_equal(find(&list, "other"), histogram);
    histogram_list__release(&list);
}

static void put_text(const struct histogram *histogram, char **ret_text)
{
    size_t length;
    FILE *file = open_memstream(ret_text, &length);
    histogram__put_text(histogram, file);
    fclose(file);
}

// Three calls among 13,533 have a bar that is seen.
static void svg_shows_outliers(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    struct histogram *histogram = find(&list, "");
    char *text = NULL;
    size_t length;
    histogram__add_bucket(histogram, bucket__of(1000000), 13530, 13530 * 1000000ull);
    histogram__add_bucket(histogram, bucket__of(64000000), 3, 3 * 64000000ull);
    FILE *file = open_memstream(&text, &length);
    histogram_list__put_svg(&list, file);
    fclose(file);
    assert_non_null(strstr(text, "width=\"560.0\""));
    assert_non_null(strstr(text, "width=\"1.5\""));
    assert_non_null(strstr(text, "width=\"0.0\"")); // none there between
    free(text);
    histogram_list__release(&list);
}

static void text_has_a_line_a_power_of_two(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    struct histogram *histogram = find(&list, "");
    fill(histogram);
    char *text = NULL;
    put_text(histogram, &text);
    assert_string_equal(
        text, "uprobe:./prog:work (ms)\n"
              "count 500, sum 2.00 s, min >= 983 us, max <= 16.8 ms, p50 <= 1.05 ms, p90 <= 16.8 ms, p99 <= 16.8 ms, "
              "p99.9 <= 16.8 ms\n\n"
              "[0.524, 1.05)                 400 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
              "[1.05, 2.10)                    0 |                                        |\n"
              "[2.10, 4.19)                    0 |                                        |\n"
              "[4.19, 8.39)                    0 |                                        |\n"
              "[8.39, 16.8)                  100 |@@@@@@@@@@                              |\n");
    free(text);
    histogram_list__release(&list);
}

// From one nanosecond to an hour: whatever the unit, each line has a range of its own, which begins where the one
// before ended, and no bound but the first is written as 0.
static void wide_ranges_stay_apart(void **state)
{
    static const struct {
        uint64_t usual;
        const char *unit;
    } cases[] = {{300, "(ns)"}, {20000, "(us)"}, {3000000, "(ms)"}, {900000000, "(ms)"}, {200000000000, "(s)"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct histogram_list list = {0};
        struct histogram *histogram = find(&list, "");
        for (uint32_t bucket = 0; bucket < bucket__of(3600000000000); bucket++)
            histogram__add_bucket(histogram, bucket, 1, bucket__low(bucket));
        histogram__add_bucket(histogram, bucket__of(cases[i].usual), 1000, 1000 * cases[i].usual);
        char *text = NULL, last[40] = "", low[40], high[40];
        put_text(histogram, &text);
        assert_non_null(strstr(text, cases[i].unit));
        const char *line = strstr(text, "\n\n") + 2;
        size_t lines = 0, width = strcspn(line, "|");
        for (; *line; line = strchr(line, '\n') + 1, lines++) {
            assert_int_equal(sscanf(line, "[%39[0-9.], %39[0-9.])", low, high), 2);
            assert_string_equal(low, lines ? last : "0");
            assert_true(strtod(high, NULL) > strtod(low, NULL));
            assert_int_equal(strcspn(line, "|"), width);
            strcpy(last, high);
        }
        assert_int_equal(lines, 43);
        free(text);
        histogram_list__release(&list);
    }
}

static void json_is_the_contract(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    struct histogram *histogram = find(&list, "a\"b");
    histogram__add_bucket(histogram, 5, 2, 10);
    histogram__add_bucket(histogram, BUCKET_COUNT - 1, 1, UINT64_MAX / 2);
    histogram->unmatched = 4;
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    histogram_list__put_json(&list, file);
    fclose(file);
    assert_string_equal(text, "[{\"probe\":\"uprobe:./prog:work\",\"unit\":\"ns\",\"by\":\"a\\\"b\",\"count\":3,"
                              "\"sum\":9223372036854775817,\"min\":5,\"max\":18446744073709551615,\"p50\":5,"
                              "\"p90\":18446744073709551615,\"p99\":18446744073709551615,\"p999\":18446744073709551615,"
                              "\"buckets\":[{\"low\":5,\"high\":6,\"count\":2},"
                              "{\"low\":17293822569102704640,\"high\":18446744073709551616,\"count\":1}],"
                              "\"unmatched\":4,\"lost\":0}]\n");
    free(text);
    histogram_list__release(&list);
}

// Keys by the thousand, in any order, sorted in between: each is found again, and what is above the bound has one for
// all.
static void keys_are_bounded(void **state)
{
    (void)state;
    enum { KEYS = 100000, BOUND = 2000 };
    struct histogram_list list = {.bound = BOUND};
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < KEYS; i++) {
            char key[16];
            snprintf(key, sizeof(key), "%u", i);
            struct histogram *histogram = find(&list, key);
            assert_string_equal(histogram->by, i < BOUND ? key : HISTOGRAM_OTHERS);
            histogram__add_bucket(histogram, i % 16, 1, i % 16);
        }
        histogram_list__sort(&list);
    }
    assert_int_equal(list.count, BOUND + 1);
    uint64_t values = 0;
    for (size_t i = 0; i < list.count; i++)
        values += list.items[i]->count;
    assert_int_equal(values, 2 * KEYS);
    assert_string_equal(list.items[0]->by, HISTOGRAM_OTHERS);
    histogram_list__release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_lie_in_their_bucket),
        cmocka_unit_test(stored_counts_bring_their_extremes),
        cmocka_unit_test(text_has_a_line_a_power_of_two),
        cmocka_unit_test(svg_shows_outliers),
        cmocka_unit_test(wide_ranges_stay_apart),
        cmocka_unit_test(json_is_the_contract),
        cmocka_unit_test(keys_are_bounded),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
