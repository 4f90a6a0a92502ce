// Unwind tables in the kernel: what was published is there block by block, renumbered by the common rules; and above
// the bound the ones that were not used give way, those who lead to them told before.
#include "collector/unwinding/unwind_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct loader *loader;
    struct loaded *loaded;
    struct unwind_table *table;
    uint32_t evicted[64];
    size_t evicted_count;
    int outer_fd;
    bool was_there; // each evicted table, when its eviction was told
};

static void on_evict(uint32_t number, void *context)
{
    struct fixture *fixture = context;
    uint32_t id;
    fixture->was_there = bpf_map_lookup_elem(fixture->outer_fd, &number, &id) == 0;
    fixture->evicted[fixture->evicted_count++] = number;
}

static int make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    *state = fixture;
    if (geteuid() != 0)
        return 0;
    struct wire_config config = {.uid = WIRE_UID_ANY};
    struct loader_bounds bounds = {.counts = 16, .stacks = 16, .hists = 16, .cpus = 1};
    _cleanup_fd_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (loader__new(&config, &bounds, NULL, &fixture->loader) != 0 ||
        loader__open(fixture->loader, "mapped_files", NULL, &fixture->loaded) != 0 ||
        loaded__load(fixture->loaded, NULL) != 0 || unwind_table__compile(fd, NULL, &fixture->table) != 0)
        return -1;
    fixture->outer_fd = loader__map_fd(fixture->loader, "unwind_tables");
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;
    unwind_table__free(fixture->table);
    loaded__free(fixture->loaded);
    loader__free(fixture->loader);
    free(fixture);
    return 0;
}

static uint64_t bytes_of(const struct unwind_table *table)
{
    return (table->word_count + UNWIND_BLOCK_WORDS - 1) / UNWIND_BLOCK_WORDS * UNWIND_BLOCK_BYTES;
}

static void what_is_published_is_there(void **state)
{
    struct fixture *fixture = *state;
    if (!fixture->loader)
        skip(); // takes root
    struct unwind_tables *tables;
    uint32_t number, id, word = 0;
    assert_int_equal(unwind_tables__new(fixture->loader, 0, on_evict, fixture, &tables), 0);
    assert_int_equal(unwind_tables__publish(tables, fixture->table, &number), 0);
    unwind_tables__settle(tables);
    assert_true(number > 0);
    assert_int_equal(bpf_map_lookup_elem(fixture->outer_fd, &number, &id), 0);
    _cleanup_fd_ int inner = bpf_map_get_fd_by_id(id);
    assert_true(inner >= 0);
    int rules_fd = loader__map_fd(fixture->loader, "unwind_rules");
    uint32_t runs = UNWIND_HEAD_WORDS + fixture->table->words[1];
    for (uint32_t block = 0; word < fixture->table->word_count; block++) {
        uint32_t words[UNWIND_BLOCK_WORDS];
        assert_int_equal(bpf_map_lookup_elem(inner, &block, words), 0);
        for (uint32_t i = 0; i < UNWIND_BLOCK_WORDS && word < fixture->table->word_count; i++, word++) {
            uint32_t expected = fixture->table->words[word], rule_number = UNWIND_ROW_RULE(words[i]);
            if (word < runs) {
                assert_int_equal(words[i], expected);
                continue;
            }
            struct unwind_rule rule;
            assert_int_equal(UNWIND_ROW_PLACE(words[i]), UNWIND_ROW_PLACE(expected));
            assert_int_equal(bpf_map_lookup_elem(rules_fd, &rule_number, &rule), 0);
            assert_memory_equal(&rule, &fixture->table->rules[UNWIND_ROW_RULE(expected)], sizeof(rule));
        }
    }
    unwind_tables__free(tables);
}

static void the_bound_holds(void **state)
{
    struct fixture *fixture = *state;
    if (!fixture->loader)
        skip(); // takes root
    struct unwind_tables *tables;
    uint64_t bytes = bytes_of(fixture->table);
    uint32_t numbers[12], id;
    assert_int_equal(unwind_tables__new(fixture->loader, 4 * bytes, on_evict, fixture, &tables), 0);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(unwind_tables__publish(tables, fixture->table, &numbers[i]), 0);
        assert_true(unwind_tables__bytes(tables) <= 4 * bytes);
    }
    unwind_tables__settle(tables);
    assert_int_equal(unwind_tables__count(tables), 4);
    assert_int_equal(fixture->evicted_count, 8);
    assert_true(fixture->was_there);
    size_t there = 0;
    for (uint32_t number = 0; number < 64; number++)
        there += bpf_map_lookup_elem(fixture->outer_fd, &number, &id) == 0;
    assert_int_equal(there, 4);
    struct unwind_tables *small;
    assert_int_equal(unwind_tables__new(fixture->loader, bytes - 1, on_evict, fixture, &small), 0);
    assert_int_equal(unwind_tables__publish(small, fixture->table, &numbers[0]), -E2BIG);
    unwind_tables__free(small);
    unwind_tables__free(tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_published_is_there, make, destroy),
        cmocka_unit_test_setup_teardown(the_bound_holds, make, destroy),
    };
    return cmocka_run_group_tests_name("unwind_tables", tests, NULL, NULL);
}
