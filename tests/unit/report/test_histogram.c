// Histograms: percentiles lie in the right bucket, all pictures say the same, nothing is lost in adding up.
#include "report/histograms/histogram_view.h"

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

typedef int put_fn(const struct histogram_view *view, FILE *file);

static char *put_view(put_fn *put, const struct histogram_view *view)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    assert_int_equal(put(view, file), 0);
    fclose(file);
    char *copy = strdup(text);
    free(text);
    return copy;
}

static char *put(put_fn *put_list, const struct histogram_list *list)
{
    return put_view(put_list, &(struct histogram_view){.list = list});
}

// The counts that the bars of a drawing are titled with, and the bars.
static uint64_t sum_of_bars(const char *drawing, const char *look, size_t *ret_bars)
{
    char start[64];
    uint64_t sum = 0;
    *ret_bars = 0;
    snprintf(start, sizeof(start), "<rect class=\"%s\" ", look);
    for (const char *at = drawing; (at = strstr(at, start)); at++) {
        const char *end = strchr(at, '>');
        if (strncmp(end, "><title>", strlen("><title>")) != 0) // of a legend
            continue;
        const char *count = strstr(end, "): ") + 3;
        uint64_t value = 0;
        for (; *count != '<'; count++)
            value = *count == ',' ? value : value * 10 + (uint64_t)(*count - '0');
        sum += value;
        ++*ret_bars;
    }
    return sum;
}

// Every bucket is a bar, three calls among 13,533 too; the numbers of the axis are round; the same in a page, twice.
static void drawings_have_all_buckets(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    struct histogram *histogram = find(&list, "");
    histogram__add_bucket(histogram, bucket__of(1000000), 13530, 13530 * 1000000ull);
    histogram__add_bucket(histogram, bucket__of(1050000), 7, 7 * 1050000ull);
    histogram__add_bucket(histogram, bucket__of(64000000), 3, 3 * 64000000ull);
    size_t bars;
    char *svg = put(histogram_view__put_svg, &list), *page = put(histogram_view__put_html, &list);
    assert_int_equal(sum_of_bars(svg, "bar", &bars), 13540);
    assert_int_equal(bars, 3);
    assert_non_null(strstr(svg, "height=\"2.0\"><title>[62.9 ms, 67.1 ms): 3</title>"));
    assert_non_null(strstr(svg, ">1 ms</text>"));
    assert_non_null(strstr(svg, ">10 ms</text>"));
    assert_non_null(strstr(svg, ">p99.9 "));
    assert_int_equal(sum_of_bars(page, "bar", &bars), 2 * 13540);
    assert_non_null(strstr(page, "<td>[62.9 ms, 67.1 ms)</td><td>3</td>"));
    free(svg);
    free(page);
    histogram_list__release(&list);
}

static void a_name_is_no_markup(void **state)
{
    (void)state;
    static put_fn *const puts[] = {histogram_view__put_svg, histogram_view__put_html};
    for (size_t i = 0; i < 2; i++) {
        struct histogram_list list = {0};
        fill(find(&list, "</svg><script>alert(1)</script>\"'&"));
        char *text = put(puts[i], &list);
        assert_null(strstr(text, "<script"));
        assert_non_null(strstr(text, "&#60;"));
        free(text);
        histogram_list__release(&list);
    }
}

// Keys on one axis: a value stands at the same place in each. More than a drawing holds are said.
static void keys_are_small_multiples(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    histogram__add_bucket(find(&list, "a"), bucket__of(1000), 2, 2000);
    histogram__add_bucket(find(&list, "b"), bucket__of(1000), 3, 3000);
    histogram__add_bucket(find(&list, "b"), bucket__of(100000), 1, 100000);
    size_t bars;
    char *svg = put(histogram_view__put_svg, &list), *first = strstr(svg, "<rect class=\"bar\""),
         *second = strstr(first + 1, "<rect class=\"bar\"");
    assert_int_equal(sum_of_bars(svg, "bar", &bars), 6);
    assert_memory_equal(first, second, strlen("<rect class=\"bar\" x=\"00.0"));
    assert_null(strstr(svg, "more are not drawn"));
    free(svg);
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", i);
        histogram__add_bucket(find(&list, key), 5, 1, 5);
    }
    svg = put(histogram_view__put_svg, &list);
    assert_non_null(strstr(svg, ">46 more are not drawn"));
    free(svg);
    histogram_list__release(&list);
}

// A difference holds each key against that of the same name: what came and went stands alone.
static void differences_have_both_sides(void **state)
{
    (void)state;
    struct histogram_list now = {0}, before = {0};
    histogram__add_bucket(find(&before, "both"), bucket__of(1500), 30, 30000);
    histogram__add_bucket(find(&before, "both"), bucket__of(5000), 10, 40000);
    histogram__add_bucket(find(&now, "both"), bucket__of(1500), 4, 4000);
    histogram__add_bucket(find(&now, "both"), bucket__of(5000), 4, 16000);
    histogram__add_bucket(find(&before, "gone"), 9, 2, 18);
    histogram__add_bucket(find(&now, "new"), 9, 1, 9);
    const struct histogram_view view = {.list = &now, .before = &before, .name = "tuesday", .before_name = "monday"};
    char *text = put_view(histogram_view__put_text, &view), *svg = put_view(histogram_view__put_svg, &view),
         *json = put_view(histogram_view__put_json, &view);
    assert_non_null(strstr(text, "monday: count 40, "));
    assert_non_null(strstr(text, "tuesday: count 8, "));
    assert_non_null(
        strstr(text, "[1, 2)                         30          4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@-------------|"));
    assert_non_null(
        strstr(text, "[4, 8)                         10          4 |@@@@@@@@@@@@@@+++++++++++++             |"));
    assert_non_null(strstr(text, "gone (ns)\nmonday: count 2, "));
    assert_non_null(strstr(text, "tuesday: nothing"));
    assert_non_null(strstr(text, "monday: nothing"));
    size_t bars;
    assert_int_equal(sum_of_bars(svg, "bar over", &bars), 9);
    assert_int_equal(sum_of_bars(svg, "was", &bars), 42);
    assert_non_null(strstr(json, "{\"by\":\"gone\",\n\"before\":{\"probe\""));
    assert_non_null(strstr(json, "\"after\":null}"));
    free(text);
    free(svg);
    free(json);
    histogram_list__release(&now);
    histogram_list__release(&before);
}

static void text_has_round_ranges(void **state)
{
    (void)state;
    struct histogram_list list = {0};
    struct histogram *histogram = find(&list, "");
    fill(histogram);
    char *text = put(histogram_view__put_text, &list);
    assert_string_equal(
        text, "uprobe:./prog:work (ms)\n"
              "count 500, sum 2.00 s, min >= 983 us, max <= 16.8 ms, p50 <= 1.05 ms, p90 <= 16.8 ms, p99 <= 16.8 ms, "
              "p99.9 <= 16.8 ms\n\n"
              "[1, 2)                        400 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
              "[2, 4)                          0 |                                        |\n"
              "[4, 8)                          0 |                                        |\n"
              "[8, 16)                         0 |                                        |\n"
              "[16, 32)                      100 |@@@@@@@@@@                              |\n");
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
        char last[40] = "", low[40], high[40], *text = put(histogram_view__put_text, &list);
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
    char *text = put(histogram_view__put_json, &list);
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
        cmocka_unit_test(text_has_round_ranges),
        cmocka_unit_test(drawings_have_all_buckets),
        cmocka_unit_test(a_name_is_no_markup),
        cmocka_unit_test(keys_are_small_multiples),
        cmocka_unit_test(differences_have_both_sides),
        cmocka_unit_test(wide_ranges_stay_apart),
        cmocka_unit_test(json_is_the_contract),
        cmocka_unit_test(keys_are_bounded),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
