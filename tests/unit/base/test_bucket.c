// The buckets of histograms: each value falls into the bucket whose bounds hold it, and no bucket is too wide.
#include "store/base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void bounds_hold_their_values(void **state)
{
    (void)state;
    for (uint32_t bucket = 0; bucket < BUCKET_COUNT; bucket++) {
        uint64_t low = bucket__low(bucket), end = bucket__low(bucket + 1);
        assert_int_equal(bucket__of(low), bucket);
        assert_int_equal(bucket__of(end - 1), bucket); // the last one ends at 2^64
        if (bucket >= 16)
            assert_true((end - low) <= low / 8);
    }
    assert_int_equal(bucket__of(UINT64_MAX), BUCKET_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bounds_hold_their_values)};
    return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
