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

static void add(struct mappings *mappings, uint64_t start, uint64_t end, struct binary *binary)
{
    struct mapping mapping = {.start = start, .end = end, .binary = binary};
    assert_int_equal(mappings__add(mappings, &mapping), 0);
}

static const struct binary *at(const struct mappings *mappings, uint64_t address)
{
    const struct mapping *found = mappings__find(mappings, address);
    return found ? found->binary : NULL;
}

static void code_of_a_jit_is_one_row_between_two_files(void **state)
{
    (void)state;
    char anonymous_path[] = "//anon", file_path[] = "/bin/file", shared_path[] = "/memfd:code";
    struct binary jit = {.kind = STORE_BINARY_JIT, .path = anonymous_path},
                  file = {.kind = STORE_BINARY_ELF, .path = file_path},
                  shared = {.kind = STORE_BINARY_JIT, .path = shared_path};
    struct mappings mappings = {0};
    enum { FILE_START = 0x4000000 };
    add(&mappings, FILE_START, FILE_START + 0x1000, &file);
    for (uint64_t i = 0; i < 2 * LIMIT_MAPPINGS_A_PROCESS; i++)
        add(&mappings, i << 13, (i << 13) + 4096, &jit);
    // The file is covered by the pages from its start, but for none of it that stays.
    add(&mappings, FILE_START, FILE_START + 0x800, &file);
    assert_int_equal(mappings.count, 3);
    assert_ptr_equal(at(&mappings, 5 << 13), &jit);
    assert_ptr_equal(at(&mappings, FILE_START + 0x7ff), &file);
    assert_ptr_equal(at(&mappings, FILE_START + 0x800), &jit);
    // A memfd may turn out to be an ELF file: its offsets count.
    add(&mappings, 0x10000000, 0x10001000, &shared);
    add(&mappings, 0x10002000, 0x10003000, &shared);
    assert_null(at(&mappings, 0x10001800));
    assert_int_equal(mappings.count, 5);
    mappings__release(&mappings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_page_belongs_to_the_last),
                                       cmocka_unit_test(code_of_a_jit_is_one_row_between_two_files),
                                       cmocka_unit_test(the_bound_holds)};
    return cmocka_run_group_tests_name("mappings", tests, NULL, NULL);
}
