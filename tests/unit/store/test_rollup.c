// Roll-up changes no sum, whatever is left of the tiers, and whatever range is asked for.
#include <dirent.h>
#include <sqlite3.h>

#include "store/day_file.h"
#include "store/directory/rollup.h"
#include "tests/unit/store/everything.h"

#define HOUR_NS  (3600 * SECOND_NS)
#define DAY      19000u
#define BEGIN_NS (DAY * DAY_NS)

static char folder[PATH_MAX];

static int make_folder(void **state)
{
    (void)state;
    scratch__make(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch__remove(folder);
    return 0;
}

static struct store_writer *create_day(enum store_tier tier, uint32_t number)
{
    char name[DAY_FILE_NAME_BYTES], path[PATH_MAX];
    day_file__name(&(struct day_file){.day = DAY, .tier = tier, .number = number}, name);
    snprintf(path, sizeof(path), "%.4000s/%s", folder, name);
    return create(path);
}

static void remove_tier(const char *word)
{
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strstr(entry->d_name, word))
            must(unlinkat(dirfd(directory), entry->d_name, 0));
    closedir(directory);
}

// Histograms by themselves: keys that come and go, some without a value, values below 0.
static void append_histograms(struct store_writer *writer, uint64_t start_ns)
{
    uint64_t counts[4][BUCKETS_TOTAL] = {0};
    struct store_histogram rows[4];
    char keys[4][16];
    size_t count = any(5);
    uint32_t event;
    struct store_event runq = {.name = "runq", .unit = "ns", .is_histogram = true};
    must(store_writer__event(writer, &runq, &event));
    for (size_t i = 0; i < count; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key%zu", i * 10 + (size_t)any(3));
        rows[i] = (struct store_histogram){.event = event,
                                           .key = keys[i],
                                           .unmatched = any(3),
                                           .counts = counts[i],
                                           .count_of_buckets = BUCKETS_TOTAL};
        for (uint64_t n = any(6); n > 0; n--) {
            uint32_t bucket = (uint32_t)any(BUCKETS_TOTAL);
            wide low = bucket__least(bucket), high = bucket__greatest(bucket);
            bool is_first = rows[i].min == 0 && rows[i].max == 0;
            counts[i][bucket]++;
            rows[i].sum += low;
            rows[i].min = is_first || low < rows[i].min ? low : rows[i].min;
            rows[i].max = is_first || high > rows[i].max ? high : rows[i].max;
        }
    }
    struct store_interval interval = {.start_ns = start_ns, .end_ns = start_ns};
    must(store_writer__append(writer, &interval, NULL, 0, rows, count, NULL));
}

static void append_hours(struct store_writer *writer, uint64_t begin_ns, uint64_t end_ns)
{
    for (uint64_t at = begin_ns; at < end_ns; at += 20 * SECOND_NS) {
        must(append_load(writer, at, any(12), NULL, NULL, NULL));
        if (any(4) == 0)
            append_histograms(writer, at + 10 * SECOND_NS);
        if (any(100) == 0)
            at += any(10) * 20 * SECOND_NS; // nothing recorded
    }
}

static struct rollup_done roll(enum store_tier tier, uint64_t until_ns)
{
    struct rollup_plan plan = {.directory = folder, .day = DAY, .tier = tier, .until_ns = until_ns};
    struct rollup_done done;
    struct fault fault = {0};
    if (rollup__day(&plan, &fault, &done))
        fail_msg("%s", fault.text);
    return done;
}

static void assert_same(struct model *wanted, const struct store_query *query, uint64_t part_ns)
{
    _cleanup_(model__release) struct model got = everything__read(folder, query, part_ns);
    model__assert_equal(wanted, &got);
}

static void sums_stay_the_same(void **state)
{
    (void)state;
    struct store_query finest = {0}, coarse = {.is_coarse = true};
    struct store_query range = {.since_ns = BEGIN_NS + 1500 * SECOND_NS};
    range.until_ns = BEGIN_NS + 3 * HOUR_NS + 7 * SECOND_NS;
    struct store_query coarse_range = range;
    coarse_range.is_coarse = true;
    struct store_writer *writer = create_day(STORE_TIER_FULL, 1);
    random_state = 77;
    append_hours(writer, BEGIN_NS, BEGIN_NS + HOUR_NS + 1234 * SECOND_NS);
    close_writer(writer);
    writer = create_day(STORE_TIER_FULL, 2);
    append_hours(writer, BEGIN_NS + HOUR_NS + 1240 * SECOND_NS, BEGIN_NS + 4 * HOUR_NS);

    _cleanup_(model__release) struct model all = everything__read(folder, &finest, HOUR_NS);
    _cleanup_(model__release) struct model part = everything__read(folder, &range, DAY_NS);
    // Bit by bit, beside the writer, as it happens.
    for (uint64_t hour = 1; hour <= 3; hour++) {
        assert_true(roll(STORE_TIER_MINUTE, BEGIN_NS + hour * HOUR_NS + 95 * SECOND_NS).sums >= 50);
        assert_true(roll(STORE_TIER_HOUR, BEGIN_NS + hour * HOUR_NS + 95 * SECOND_NS).sums >= 1);
        assert_same(&all, &finest, HOUR_NS);
        assert_same(&all, &coarse, HOUR_NS);
        assert_same(&part, &range, DAY_NS);
        assert_same(&part, &coarse_range, DAY_NS);
    }
    append_hours(writer, BEGIN_NS + HOUR_NS, BEGIN_NS + HOUR_NS + 300 * SECOND_NS); // the clock was set back
    close_writer(writer);
    model__release(&all);
    all = everything__read(folder, &finest, HOUR_NS);
    assert_same(&all, &coarse, HOUR_NS);
    roll(STORE_TIER_MINUTE, BEGIN_NS + DAY_NS);
    assert_int_equal(roll(STORE_TIER_MINUTE, BEGIN_NS + DAY_NS).parts, 0);
    assert_same(&all, &finest, HOUR_NS);
    remove_tier(".full.");
    assert_same(&all, &finest, HOUR_NS);
    roll(STORE_TIER_HOUR, BEGIN_NS + DAY_NS);
    assert_int_equal(roll(STORE_TIER_HOUR, BEGIN_NS + DAY_NS).parts, 0);
    assert_same(&all, &finest, HOUR_NS);
    assert_same(&all, &coarse, HOUR_NS);
    remove_tier(".1min.");
    assert_same(&all, &finest, HOUR_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_stay_the_same, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("store: roll-up", tests, NULL, NULL);
}
