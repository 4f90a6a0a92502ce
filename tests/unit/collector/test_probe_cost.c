// The words for what a probe costs.
#include "collector/probes/probe_cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void says(const struct probe_cost *cost, const char *want)
{
    struct buf line = {0};
    probe_cost__append(cost, &line);
    buf__append_byte(&line, '\0');
    assert_string_equal((const char *)line.data, want);
    buf__release(&line);
}

static void each_of_one_kind_costs_the_same(void **state)
{
    (void)state;
    struct probe_cost cost = {
        .spelled = "uprobe:x:f", .hits = 812332, .is_call = true, .program_ns = 240, .trap = {.ns = 860, .places = 1}};
    says(&cost, "uprobe:x:f: 812332 calls, about 1.10 us each (trap 0.86, programs 0.24)");
    cost.is_call = false;
    cost.passed_over = 7;
    says(&cost, "uprobe:x:f: 812332 hits, and some 7 passed over, about 1.10 us each (trap 0.86, program 0.24)");
    cost.is_pair = true;
    cost.passed_over = 0;
    says(&cost, "uprobe:x:f: 812332 pairs, about 1.10 us each (trap 0.86, programs 0.24)");
    cost.trap = (struct trap_cost){0};
    says(&cost, "uprobe:x:f: 812332 pairs, about 0.24 us each (in hearth's programs alone)");
}

static void dear_places_are_told_apart(void **state)
{
    (void)state;
    const struct probe_cost cost = {.spelled = "uprobe:x:mem*",
                                    .hits = 9300,
                                    .program_ns = 200,
                                    .trap = {.ns = 400, .dear_ns = 17100, .dear_places = 3, .places = 40}};
    says(&cost, "uprobe:x:mem*: 9300 hits, 0.60 to 17.30 us each (trap 0.40 at 37 of 40 places, 17.10 at 3, "
                "program 0.20)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_one_kind_costs_the_same),
        cmocka_unit_test(dear_places_are_told_apart),
    };
    return cmocka_run_group_tests_name("probe_cost", tests, NULL, NULL);
}
