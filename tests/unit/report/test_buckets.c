// Histograms of a stored range: over two intervals and one of them, by threads, by buckets; what is not known is
// refused.
#include "report/query/buckets.h"

#include <errno.h>
#include <unistd.h>

#include "report/query/report.h"
#include "store/base/cleanup.h"
#include "tests/unit/report/sample_store.h"

DEFINE_CLEANUP(struct store_reader *, store_reader__free);

static char store[64];
static const uint64_t fast = 1000000, slow = 16000000;

static const struct group *by(const char *key)
{
    const struct group *group;
    assert_int_equal(group__option(key, &group, NULL), 0);
    return group;
}

static struct store_histogram histogram_of(uint32_t event, const char *key, uint64_t counts[BUCKET_COUNT],
                                           uint64_t fast_count, uint64_t slow_count)
{
    memset(counts, 0, BUCKET_COUNT * sizeof(*counts));
    counts[bucket__of(fast)] = fast_count;
    counts[bucket__of(slow)] = slow_count;
    return (struct store_histogram){.event = event,
                                    .key = key,
                                    .sum = fast_count * fast + slow_count * slow,
                                    .min = fast_count ? fast : slow,
                                    .max = slow_count ? slow : fast,
                                    .unmatched = 1,
                                    .counts = counts,
                                    .count_of_buckets = BUCKET_COUNT};
}

// "both" keeps stacks, "plain" does not; by argument 7 and 9. The values of "both" in each interval are those of its
// histograms: 4 fast by the server's one thread, 2 slow by the other.
static int set_up(void **state)
{
    static const struct store_meta meta = {.host = "box", .kernel = "6.18.0", .arch = "x86_64", .version = "1"};
    static const struct store_loss losses[] = {{"hists-full", 3}, {"not-followed", 2}};
    struct fault fault = {0};
    struct store_writer *writer = NULL;
    uint32_t both, plain;
    uint64_t counts[4][BUCKET_COUNT];
    (void)state;
    snprintf(store, sizeof(store), "/tmp/hearth-buckets-%d.db", (int)getpid());
    if (store_writer__create(store, &meta, &fault, &writer))
        fail_msg("%s", fault.text);
    store_writer__event(
        writer,
        &(struct store_event){.name = "both", .unit = "ns", .detail = "", .is_histogram = true, .is_doubled = true},
        &both);
    store_writer__event(
        writer, &(struct store_event){.name = "plain", .unit = "ns", .detail = "", .is_histogram = true}, &plain);
    uint32_t server = sample__thread(writer, 10, 10, "server", 0, "/system.slice");
    uint32_t worker = sample__thread(writer, 20, 0, "worker", 1000, "/user.slice");
    struct sample_frames f = sample__frames(writer);
    uint32_t serve = STACK(writer, f.start, f.main, f.serve);
    const struct store_value values[] = {
        {both, server, serve, (uint16_t)(bucket__of(fast) + 1), 4, 4 * fast},
        {both, worker, serve, (uint16_t)(bucket__of(slow) + 1), 2, 2 * slow},
    };
    const struct store_histogram histograms[] = {
        histogram_of(both, "7", counts[0], 3, 0),
        histogram_of(both, "9", counts[1], 1, 2),
        histogram_of(plain, "7", counts[2], 5, 0),
        histogram_of(plain, "9", counts[3], 0, 6),
    };
    sample__append(writer, 0, losses, 2, values, 2, histograms, 4);
    sample__append(writer, 1, NULL, 0, values, 2, histograms, 4);
    if (store_writer__close(writer, &fault))
        fail_msg("%s", fault.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(store);
}

static int gather(const struct report_request *request, struct source *source, struct histogram_list *list)
{
    struct fault fault = {0};
    *source = (struct source){0};
    *list = (struct histogram_list){0};
    assert_int_equal(source__open(store, request, true, &fault, source), 0);
    int err = buckets__gather(source, request, list, &fault);
    assert_int_equal(err ? fault.code : 0, err ? EXIT_CODE_USAGE : 0);
    return err;
}

struct expected {
    const char *by;
    uint64_t count, sum, min, max, unmatched;
};

static void check(const struct report_request *request, const struct expected *expected, size_t count)
{
    struct source source;
    struct histogram_list list;
    assert_int_equal(gather(request, &source, &list), 0);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct histogram *histogram = list.items[i];
        assert_string_equal(histogram->by, expected[i].by);
        assert_int_equal(histogram->count, expected[i].count);
        assert_int_equal(histogram->sum, expected[i].sum);
        assert_int_equal(histogram->min, expected[i].min);
        assert_int_equal(histogram->max, expected[i].max);
        assert_int_equal(histogram->unmatched, expected[i].unmatched);
    }
    histogram_list__release(&list);
    source__release(&source);
}
#define CHECK(request, ...)                                                                                            \
    check(&(struct report_request)request, (const struct expected[]){__VA_ARGS__},                                     \
          sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))
#define REQUEST(...)                                                                                                   \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static void values_that_stand_twice_are_counted_once(void **state)
{
    (void)state;
    CHECK(REQUEST(.event = "both"), {"9", 6, 2 * fast + 4 * slow, fast, slow, 2}, {"7", 6, 6 * fast, fast, fast, 2});
    CHECK(REQUEST(.event = "plain"), {"9", 12, 12 * slow, slow, slow, 2}, {"7", 10, 10 * fast, fast, fast, 2});
}

static void one_interval_of_two_has_its_own(void **state)
{
    (void)state;
    CHECK(REQUEST(.event = "both", .since_ns = SAMPLE_START_NS + SAMPLE_STEP_NS),
          {"9", 3, fast + 2 * slow, fast, slow, 1}, {"7", 3, 3 * fast, fast, fast, 1});
    CHECK(REQUEST(.event = "plain", .until_ns = SAMPLE_START_NS + SAMPLE_STEP_NS), {"9", 6, 6 * slow, slow, slow, 1},
          {"7", 5, 5 * fast, fast, fast, 1});
}

static void threads_are_asked_of_the_values(void **state)
{
    (void)state;
    uint64_t low = bucket__low(bucket__of(fast)), high = bucket__low(bucket__of(fast) + 1) - 1;
    uint64_t slow_low = bucket__low(bucket__of(slow)), slow_high = bucket__low(bucket__of(slow) + 1) - 1;
    const uint32_t pid = 20;
    CHECK(REQUEST(.event = "both", .comm = "server"), {"", 8, 8 * fast, low, high, 0});
    CHECK(REQUEST(.event = "both", .pids = &pid, .pid_count = 1), {"", 4, 4 * slow, slow_low, slow_high, 0});
    CHECK(REQUEST(.event = "both", .has_uid = true, .uid = 1000), {"", 4, 4 * slow, slow_low, slow_high, 0});
    CHECK(REQUEST(.event = "both", .by = by("comm")), {"worker", 4, 4 * slow, slow_low, slow_high, 0},
          {"server", 8, 8 * fast, low, high, 0});
    CHECK(REQUEST(.event = "both", .by = by("pid"), .since_ns = SAMPLE_START_NS + SAMPLE_STEP_NS),
          {"20", 2, 2 * slow, slow_low, slow_high, 0}, {"10", 4, 4 * fast, low, high, 0});
    CHECK(REQUEST(.event = "both", .by = by("tid")), {"20, all of worker", 4, 4 * slow, slow_low, slow_high, 0},
          {"10", 8, 8 * fast, low, high, 0});
    CHECK(REQUEST(.event = "both", .by = by("cgroup")), {"/user.slice", 4, 4 * slow, slow_low, slow_high, 0},
          {"/system.slice", 8, 8 * fast, low, high, 0});
}

static void buckets_are_whole(void **state)
{
    (void)state;
    uint64_t slow_low = bucket__low(bucket__of(slow)), slow_high = bucket__low(bucket__of(slow) + 1) - 1;
    CHECK(REQUEST(.event = "both", .has_bucket_low = true, .bucket_low = slow),
          {"", 4, 4 * slow, slow_low, slow_high, 0});
    CHECK(REQUEST(.event = "both", .has_bucket_low = true, .bucket_low = slow_low, .has_bucket_high = true,
                  .bucket_high = slow_low + 1),
          {"", 4, 4 * slow, slow_low, slow_high, 0});
}

static void what_was_not_recorded_is_refused(void **state)
{
    const struct report_request requests[] = {
        {.event = "plain", .comm = "server"}, {.event = "plain", .by = by("comm")},
        {.event = "plain", .cgroup = "/"},    {.event = "plain", .has_bucket_low = true, .bucket_low = 5},
        {.event = "plain", .unit = "nginx"},  {.event = "plain", .container = "4f0c"},
        {.event = "plain", .pod = "0e3a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct source source;
        struct histogram_list list;
        assert_int_equal(gather(&requests[i], &source, &list), -EINVAL);
        histogram_list__release(&list);
        source__release(&source);
    }
}

static void a_report_says_what_may_be_missing(void **state)
{
    char text[4096] = "", output[80];
    struct report_request request = {.event = "plain", .format = "hist"};
    struct report_summary summary;
    struct fault fault = {0};
    (void)state;
    snprintf(output, sizeof(output), "%s.hist.json", store);
    if (report__write(store, &request, output, &summary, &fault))
        fail_msg("%s", fault.text);
    _cleanup_file_ FILE *file = fopen(output, "re");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    unlink(output);
    const char *first = strstr(text, "\"lost\":5}");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "\"lost\":5}")); // each of the two
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_stand_twice_are_counted_once), cmocka_unit_test(one_interval_of_two_has_its_own),
        cmocka_unit_test(threads_are_asked_of_the_values),          cmocka_unit_test(buckets_are_whole),
        cmocka_unit_test(what_was_not_recorded_is_refused),         cmocka_unit_test(a_report_says_what_may_be_missing),
    };
    return cmocka_run_group_tests_name("buckets", tests, set_up, tear_down);
}
