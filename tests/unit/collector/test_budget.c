// The rule by which the daemon keeps to its bounds: one step after the other, undone when there is room, and seldom
// where a load comes and goes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/daemon/budget.h"
#include "store/base/limits.h"

#define SECOND_NS 1000000000ull
#define MIB       (1ull << 20)

static struct budget begun(uint64_t memory, uint64_t written)
{
    struct budget budget = {.bounds = {.memory_bytes = memory, .written_bytes_a_min = written}};
    budget__begin(&budget, 1000 * SECOND_NS);
    return budget;
}

// Intervals of 10 s with such a load; returns how many steps there were.
static unsigned run(struct budget *budget, uint64_t *now_ns, unsigned intervals, uint64_t memory, uint64_t written)
{
    unsigned steps = 0;
    for (unsigned i = 0; i < intervals; i++) {
        struct budget_step step;
        *now_ns += 10 * SECOND_NS;
        struct budget_load load = {
            .now_ns = *now_ns, .memory_bytes = memory, .written_bytes = written, .level_most = 6};
        steps += budget__judge(budget, &load, &step);
    }
    return steps;
}

static void without_a_bound_nothing_happens(void **state)
{
    (void)state;
    uint64_t now_ns = 1000 * SECOND_NS;
    struct budget budget = begun(0, 0);
    assert_int_equal(run(&budget, &now_ns, 100, 1000 * MIB, 1000 * MIB), 0);
}

static void memory_above_its_bound_takes_a_step_an_interval_up_to_the_last(void **state)
{
    (void)state;
    uint64_t now_ns = 1000 * SECOND_NS;
    struct budget budget = begun(64 * MIB, 0);
    assert_int_equal(run(&budget, &now_ns, 1, 63 * MIB, 0), 0);
    assert_int_equal(run(&budget, &now_ns, 3, 65 * MIB, 0), 3);
    assert_int_equal(run(&budget, &now_ns, 100, 65 * MIB, 0), 3);
    assert_int_equal(budget.level, 6);
    assert_int_equal(run(&budget, &now_ns, 100, 63 * MIB, 0), 0); // below, and no room yet
    assert_int_equal(run(&budget, &now_ns, 100, 40 * MIB, 0), 6);
    assert_int_equal(budget.level, 0);
}

static void writing_is_judged_by_the_minute(void **state)
{
    (void)state;
    uint64_t now_ns = 1000 * SECOND_NS;
    struct budget budget = begun(0, 6 * MIB);
    assert_int_equal(run(&budget, &now_ns, 100, 0, MIB - 1000), 0);
    assert_true(run(&budget, &now_ns, 10, 0, 2 * MIB) >= 2);
    uint32_t level = budget.level;
    assert_true(run(&budget, &now_ns, 300, 0, MIB / 2) == level);
    assert_int_equal(budget.level, 0);
}

// Intervals of 10 s on two CPUs, in which hearth took so much of their time together; returns the steps.
static unsigned run_cpu(struct budget *budget, uint64_t *now_ns, unsigned intervals, double share)
{
    unsigned steps = 0;
    for (unsigned i = 0; i < intervals; i++) {
        struct budget_step step;
        *now_ns += 10 * SECOND_NS;
        struct budget_load load = {
            .now_ns = *now_ns, .cpu_ns = (uint64_t)(share * 20e9), .cpu_count = 2, .level_most = 6};
        if (!budget__judge(budget, &load, &step))
            continue;
        steps++;
        assert_true(step.reason == BUDGET_ROOM || (step.reason == BUDGET_CPU && step.amount > 10000));
    }
    return steps;
}

static void cpu_time_is_judged_by_minutes(void **state)
{
    (void)state;
    uint64_t now_ns = 1000 * SECOND_NS;
    struct budget budget = {.bounds = {.cpu_ppm = 10000}}; // 1 %
    budget__begin(&budget, now_ns);
    assert_int_equal(run_cpu(&budget, &now_ns, 1, 0.1), 0); // a start: a second of 120 of each CPU
    assert_int_equal(run_cpu(&budget, &now_ns, 60, 0.001), 0);
    assert_int_equal(run_cpu(&budget, &now_ns, 100, 0.009), 0);
    assert_true(run_cpu(&budget, &now_ns, 120, 0.02) >= 6);
    assert_int_equal(budget.level, 6);
    assert_int_equal(run_cpu(&budget, &now_ns, 100, 0.009), 0);
    assert_int_equal(run_cpu(&budget, &now_ns, 400, 0.005), 6);
    assert_int_equal(budget.level, 0);
}

static void steps_keep_a_second_apart(void **state)
{
    (void)state;
    struct budget budget = begun(MIB, 0);
    unsigned steps = 0;
    for (unsigned i = 1; i <= 40; i++) {
        struct budget_step step;
        struct budget_load load = {
            .now_ns = 1000 * SECOND_NS + i * SECOND_NS / 10, .memory_bytes = 2 * MIB, .level_most = 100};
        steps += budget__judge(&budget, &load, &step);
        assert_int_equal(step.reason, BUDGET_MEMORY);
    }
    assert_in_range(steps, 3, 4);
}

// Memory that is above the bound at level 0 and has room at level 1: each return doubles the wait.
static void a_load_that_comes_and_goes_makes_few_steps(void **state)
{
    (void)state;
    uint64_t now_ns = 1000 * SECOND_NS;
    struct budget budget = begun(64 * MIB, 0);
    unsigned steps = 0;
    for (unsigned i = 0; i < 360; i++) // an hour
        steps += run(&budget, &now_ns, 1, budget.level ? 40 * MIB : 65 * MIB, 0);
    assert_in_range(steps, 4, 30);
}

static void other_bounds_undo_at_once(void **state)
{
    (void)state;
    uint64_t now_ns = 1000 * SECOND_NS;
    struct budget budget = begun(MIB, 0);
    run(&budget, &now_ns, 4, 65 * MIB, 0);
    budget__bound(&budget, &(struct budget_bounds){.memory_bytes = 1000 * MIB});
    assert_int_equal(run(&budget, &now_ns, 4, 65 * MIB, 0), 4);
    assert_int_equal(budget.level, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_bound_nothing_happens),
        cmocka_unit_test(memory_above_its_bound_takes_a_step_an_interval_up_to_the_last),
        cmocka_unit_test(writing_is_judged_by_the_minute),
        cmocka_unit_test(cpu_time_is_judged_by_minutes),
        cmocka_unit_test(steps_keep_a_second_apart),
        cmocka_unit_test(a_load_that_comes_and_goes_makes_few_steps),
        cmocka_unit_test(other_bounds_undo_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
