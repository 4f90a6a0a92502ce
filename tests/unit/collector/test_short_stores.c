// The stores of a recording that is looked at and forgotten: two at most, the older one goes, none is left.
#include "collector/session/short_stores.h"

#include "tests/unit/store/fixture.h"

static const struct store_meta own_meta = {.host = "h", .kernel = "k", .arch = "a", .version = "v", .command = "c"};

static void begin(struct short_stores *stores, uint64_t start_ns)
{
    struct fault fault = {0};
    _cleanup_(store_writer__freep) struct store_writer *writer = NULL;
    assert_int_equal(short_stores__open(stores, start_ns, &own_meta, &fault, &writer), 0);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void two_stay(void **state)
{
    (void)state;
    struct short_stores stores = {.length_ns = 60 * SECOND_NS};
    const char *paths[SHORT_STORES_KEPT];
    char before[SHORT_STORES_KEPT + 4][PATH_MAX];
    assert_int_equal(short_stores__paths(&stores, paths), 0);
    for (size_t i = 0; i < SHORT_STORES_KEPT + 4; i++) {
        begin(&stores, START_NS + i * stores.length_ns);
        size_t count = short_stores__paths(&stores, paths);
        assert_int_equal(count, i ? 2 : 1);
        snprintf(before[i], PATH_MAX, "%s", paths[count - 1]); // the newest comes last
        assert_true(is_there(before[i]));
        if (i)
            assert_string_equal(paths[0], before[i - 1]);
        if (i > 1)
            assert_false(is_there(before[i - 2]));
    }
    short_stores__remove(&stores);
    for (size_t i = 0; i < SHORT_STORES_KEPT + 4; i++) {
        assert_false(is_there(before[i]));
        *strrchr(before[i], '/') = '\0'; // nor its folder
        assert_false(is_there(before[i]));
    }
}

static void one_is_left_when_it_is_full_or_the_clock_goes_back(void **state)
{
    (void)state;
    struct short_stores stores = {.length_ns = 60 * SECOND_NS};
    begin(&stores, START_NS);
    assert_false(short_stores__leaves(&stores, START_NS));
    assert_false(short_stores__leaves(&stores, START_NS + 59 * SECOND_NS));
    assert_true(short_stores__leaves(&stores, START_NS + 60 * SECOND_NS));
    assert_true(short_stores__leaves(&stores, START_NS - 1));
    short_stores__remove(&stores);
}

static void a_damaged_one_is_forgotten(void **state)
{
    (void)state;
    struct short_stores stores = {.length_ns = 60 * SECOND_NS};
    const char *paths[SHORT_STORES_KEPT];
    begin(&stores, START_NS);
    begin(&stores, START_NS + stores.length_ns);
    short_stores__lose(&stores);
    assert_int_equal(short_stores__paths(&stores, paths), 1);
    assert_true(short_stores__leaves(&stores, START_NS + stores.length_ns));
    begin(&stores, START_NS + stores.length_ns);
    assert_int_equal(short_stores__paths(&stores, paths), 2);
    short_stores__remove(&stores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_stay),
        cmocka_unit_test(one_is_left_when_it_is_full_or_the_clock_goes_back),
        cmocka_unit_test(a_damaged_one_is_forgotten),
    };
    return cmocka_run_group_tests_name("collector/short_stores", tests, NULL, NULL);
}
