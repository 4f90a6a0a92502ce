// The buckets that the kernel side counts in are those that stores and reports mean.
#include "bpf/wire/hist_bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/base/bucket.h"

static void both_sides_agree(void **state)
{
    (void)state;
    assert_int_equal(WIRE_HIST_BUCKETS, BUCKET_COUNT);
    for (uint64_t value = 0; value < 100000; value++)
        assert_int_equal(hist_bucket__of(value), bucket__of(value));
    for (unsigned bit = 4; bit < 64; bit++)
        for (int64_t near = -9; near <= 9; near++)
            for (unsigned eighth = 0; eighth < 8; eighth++) {
                uint64_t value = (1ull << bit) + ((uint64_t)eighth << (bit - 3)) + (uint64_t)near;
                assert_int_equal(hist_bucket__of(value), bucket__of(value));
            }
    assert_int_equal(hist_bucket__of(UINT64_MAX), BUCKET_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_sides_agree)};
    return cmocka_run_group_tests_name("hist_bucket", tests, NULL, NULL);
}
