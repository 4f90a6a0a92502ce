// The table of ids against a plain array: what was put last is what is found, through growth and clearing.
#include "store/base/id_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { IDS = 5000 };

static void finds_what_was_put_last(void **state)
{
    (void)state;
    struct id_map map = {0};
    uint32_t number = 77;
    assert_false(id_map__get(&map, 1, &number));
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < IDS; i++)
            assert_int_equal(id_map__put(&map, (uint64_t)i << 40, i), 0); // ids that differ in high bits only
        for (uint32_t i = 0; i < IDS; i += 3)
            assert_int_equal(id_map__put(&map, (uint64_t)i << 40, i + 1), 0);
        assert_int_equal(map.used, IDS);
        for (uint32_t i = 0; i < IDS; i++) {
            assert_true(id_map__get(&map, (uint64_t)i << 40, &number));
            assert_int_equal(number, i % 3 == 0 ? i + 1 : i);
        }
        assert_false(id_map__get(&map, 1, &number));
        id_map__clear(&map);
        assert_false(id_map__get(&map, 0, &number));
    }
    id_map__release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_put_last)};
    return cmocka_run_group_tests_name("id_map", tests, NULL, NULL);
}
