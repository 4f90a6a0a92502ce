// The rule by which events are thinned and get their rate back.
#include "collector/session/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND_NS 1000000000ull

static struct pace_load load_of(const uint64_t *busy_ns, size_t cpu_count, size_t event_count)
{
    return (struct pace_load){
        .busy_ns = busy_ns, .cpu_count = cpu_count, .event_count = event_count, .elapsed_ns = SECOND_NS, .share = 0.2};
}

static void a_cpu_within_its_share_changes_nothing(void **state)
{
    (void)state;
    const uint64_t busy_ns[] = {SECOND_NS / 5, SECOND_NS / 6};
    const struct pace_load load = load_of(busy_ns, 2, 1);
    struct pace pace = {0};
    assert_int_equal(pace__judge(&pace, &load), 2);
    assert_int_equal(pace.halvings, 0);
}

static void a_cpu_above_it_halves_until_it_would_not_be(void **state)
{
    (void)state;
    const uint64_t busy_ns[] = {0, SECOND_NS / 2}; // 50 %: a quarter of that is 12.5 %
    const struct pace_load load = load_of(busy_ns, 2, 1);
    struct pace pace = {0};
    assert_int_equal(pace__judge(&pace, &load), 1);
    assert_int_equal(pace.halvings, 2);
}

static void the_dearest_event_is_halved_and_an_exact_one_never(void **state)
{
    (void)state;
    const uint64_t busy_ns[] = {SECOND_NS / 20, SECOND_NS / 4, SECOND_NS / 8}; // 5, 25, 12.5 %
    const struct pace_load load = load_of(busy_ns, 1, 3);
    struct pace paces[3] = {{0}};
    pace__judge(paces, &load);
    assert_int_equal(paces[0].halvings, 0);
    assert_int_equal(paces[1].halvings, 2); // 25 -> 12.5, which is not below the other 12.5 -> 6.25
    assert_int_equal(paces[2].halvings, 1);
    struct pace exact[3] = {{0}, {.is_fixed = true}, {0}};
    pace__judge(exact, &load);
    assert_int_equal(exact[1].halvings, 0);
    assert_true(exact[0].halvings > 0 && exact[2].halvings > 0);
}

static void different_cpus_do_not_add_up(void **state)
{
    (void)state;
    const uint64_t busy_ns[] = {SECOND_NS / 2, 0, 0, SECOND_NS / 4}; // event 0 on CPU 0, event 1 on CPU 1
    const struct pace_load load = load_of(busy_ns, 2, 2);
    struct pace paces[2] = {{0}};
    assert_int_equal(pace__judge(paces, &load), 0);
    assert_int_equal(paces[0].halvings, 2);
    assert_int_equal(paces[1].halvings, 1);
}

static void halvings_have_an_end(void **state)
{
    (void)state;
    const uint64_t busy_ns[] = {SECOND_NS};
    struct pace_load load = load_of(busy_ns, 1, 1);
    struct pace pace = {0};
    load.share = 1e-9;
    for (int i = 0; i < 3; i++)
        pace__judge(&pace, &load);
    assert_int_equal(pace.halvings, 16);
}

static int seconds_until_raised(struct pace *pace, const struct pace_load *load)
{
    uint32_t before = pace->halvings;
    int seconds = 0;
    for (; pace->halvings == before && seconds < 100000; seconds++)
        pace__judge(pace, load);
    return seconds;
}

static void room_that_lasts_gives_the_rate_back(void **state)
{
    (void)state;
    const uint64_t dear_ns[] = {SECOND_NS / 3}, cheap_ns[] = {SECOND_NS / 100};
    const struct pace_load dear = load_of(dear_ns, 1, 1), cheap = load_of(cheap_ns, 1, 1);
    struct pace pace = {0};
    pace__judge(&pace, &dear);
    assert_int_equal(seconds_until_raised(&pace, &cheap), 10);
    assert_int_equal(pace.halvings, 0);
    pace__judge(&pace, &dear); // halved again: the next wait is longer
    assert_int_equal(seconds_until_raised(&pace, &cheap), 20);
    for (int i = 0; i < 20; i++) {
        pace__judge(&pace, &dear);
        seconds_until_raised(&pace, &cheap);
    }
    pace__judge(&pace, &dear);
    assert_int_equal(seconds_until_raised(&pace, &cheap), 640);
}

static void a_steady_load_never_flaps(void **state)
{
    (void)state;
    for (uint64_t pct = 1; pct <= 100; pct++) {
        struct pace pace = {0};
        uint32_t least = UINT32_MAX, most = 0;
        for (int second = 0; second < 1000; second++) {
            const uint64_t busy_ns[] = {(SECOND_NS * pct / 100) >> pace.halvings};
            const struct pace_load load = load_of(busy_ns, 1, 1);
            pace__judge(&pace, &load);
            least = pace.halvings < least ? pace.halvings : least;
            most = pace.halvings > most ? pace.halvings : most;
        }
        assert_int_equal(least, most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cpu_within_its_share_changes_nothing),
        cmocka_unit_test(a_cpu_above_it_halves_until_it_would_not_be),
        cmocka_unit_test(the_dearest_event_is_halved_and_an_exact_one_never),
        cmocka_unit_test(different_cpus_do_not_add_up),
        cmocka_unit_test(halvings_have_an_end),
        cmocka_unit_test(room_that_lasts_gives_the_rate_back),
        cmocka_unit_test(a_steady_load_never_flaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
