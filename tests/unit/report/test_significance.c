// The tests of differences, against R's binom.test and p.adjust.
#include "report/profile/significance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_near(double got, double expected, double tolerance)
{
    if (fabs(got - expected) > tolerance)
        fail_msg("got %.6f, expected %.6f", got, expected);
}

static void p_is_that_of_the_binomial_test(void **state)
{
    (void)state;
    assert_near(significance__p(5, 1000, 15, 1000), 0.041389, 1e-6);  // binom.test(15, 20, 0.5)
    assert_near(significance__p(15, 1000, 5, 1000), 0.041389, 1e-6);  // either way
    assert_near(significance__p(0, 500, 5, 500), 0.0625, 1e-9);       // 2 / 2^5
    assert_near(significance__p(10, 1000, 10, 1000), 1, 1e-9);        // no difference
    assert_near(significance__p(10, 3000, 10, 1000), 0.027728, 1e-6); // twice the tail of binom(20, 0.25) from 10
    assert_near(significance__p(0, 0, 5, 500), 1, 0);
    assert_near(significance__p(0, 500, 0, 500), 1, 0);
}

static void the_two_laws_meet(void **state)
{
    (void)state;
    for (uint64_t more = 0; more <= 100; more += 10) {
        double exact = significance__p(500 - more, 100000, 500 + more, 100000);
        double normal = significance__p(501 - more, 100000, 501 + more, 100000);
        assert_near(exact, normal, 0.001 + exact * 0.1);
    }
    assert_true(significance__p(1000000, 9000000, 1100000, 9000000) < 1e-9);
}

static void adjusting_is_benjamini_and_hochbergs(void **state)
{
    (void)state;
    double ps[] = {0.01, 0.04, 0.03, 0.005, 0.9};
    const double expected[] = {0.025, 0.05, 0.05, 0.025, 0.9}; // p.adjust(p, "BH")
    assert_int_equal(significance__adjust(ps, 5), 0);
    for (size_t i = 0; i < 5; i++)
        assert_near(ps[i], expected[i], 1e-12);
    assert_int_equal(significance__adjust(ps, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_is_that_of_the_binomial_test),
        cmocka_unit_test(the_two_laws_meet),
        cmocka_unit_test(adjusting_is_benjamini_and_hochbergs),
    };
    return cmocka_run_group_tests_name("significance", tests, NULL, NULL);
}
