// Mappings against a plain array of pages: whatever is mapped over what, each page belongs to the last one that covered
// it.
#include "collector/who/mappings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/base/limits.h"

enum { PAGES = 200, ROUNDS = 2000 };

static void each_page_belongs_to_the_last(void **state)
{
    (void)state;
    struct binary binaries[8] = {{0}};
    const struct binary *owner[PAGES] = {NULL};
    uint64_t offset[PAGES] = {0};
    struct mappings mappings = {0};
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = (uint64_t)(rand() % (PAGES - 1)), end = start + 1 + (uint64_t)(rand() % (PAGES - (int)start));
        if (rand() % 4)
            end = start + 1 + (uint64_t)(rand() % 3);
        end = end > PAGES ? PAGES : end;
        struct mapping mapping = {.start = start << 12,
                                  .end = end << 12,
                                  .file_offset = (uint64_t)round << 20,
                                  .binary = &binaries[rand() % 8]};
        assert_int_equal(mappings__add(&mappings, &mapping), 0);
        for (uint64_t page = start; page < end; page++) {
            owner[page] = mapping.binary;
            offset[page] = mapping.file_offset + ((page - start) << 12);
        }
        for (uint64_t page = 0; page < PAGES; page++) {
            const struct mapping *found = mappings__find(&mappings, (page << 12) + 5);
            assert_ptr_equal(found ? found->binary : NULL, owner[page]);
            if (found)
                assert_int_equal((page << 12) - found->start + found->file_offset, offset[page]);
        }
        for (size_t i = 1; i < mappings.count; i++)
            assert_true(mappings.rows[i - 1].end <= mappings.rows[i].start);
    }
    struct mappings copy = {0};
    assert_int_equal(mappings__copy(&copy, &mappings), 0);
    assert_int_equal(copy.count, mappings.count);
    mappings__release(&copy);
    mappings__release(&mappings);
}

static void the_bound_holds(void **state)
{
    (void)state;
    struct mappings mappings = {0};
    int err = 0;
    uint64_t added = 0;
    for (; !err; added += !err) {
        struct mapping mapping = {.start = added << 13, .end = (added << 13) + 4096};
        err = mappings__add(&mappings, &mapping);
    }
    assert_int_equal(err, -ENOSPC);
    assert_in_range(added, LIMIT_MAPPINGS_A_PROCESS / 2, LIMIT_MAPPINGS_A_PROCESS);
    assert_non_null(mappings__find(&mappings, 0)); // the first one stays
    mappings__release(&mappings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_page_belongs_to_the_last),
                                       cmocka_unit_test(the_bound_holds)};
    return cmocka_run_group_tests_name("mappings", tests, NULL, NULL);
}
