// The index: what is put in is found again, and no damage to its bytes leads outside of them.
#include "symbolizer/index/index_parts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbolizer/index/string_pool.h"

struct names {
    uint32_t outer, inner, symbol, file, other;
};

// Code at file offset 0x1000, address 0x401000: `outer` at 0..100 with `inner` inlined at 20..30, a bare symbol at
// 100..150, and a unit at 200..300 that is not in the index.
static void make(struct buf *out, struct names *names)
{
    struct index_parts parts = {.base = 0x401000, .build_id = {1, 2, 3}, .build_id_bytes = 20, .has_dwarf = true};
    struct string_pool pool = {0};
    string_pool__add(&pool, "", 0);
    *names = (struct names){string_pool__add(&pool, "outer", 5), string_pool__add(&pool, "inner", 5),
                            string_pool__add(&pool, "symbol", 6), string_pool__add(&pool, "a.c", 3),
                            string_pool__add(&pool, "b.h", 3)};
    assert_int_equal(string_pool__add(&pool, "outer and more", 5), names->outer);
    struct index_segment segment = {0x1000, 0x401000, 0x1000};
    struct range units[] = {{0, 100, 1}, {200, 300, 0}}, ranges[] = {{0, 20, 0}, {20, 30, 1}, {30, 100, 0}};
    struct range symbols[] = {{0, 90, names->other}, {100, 150, names->symbol}, {210, 220, names->symbol}};
    struct index_scope scopes[] = {{names->outer, INDEX_NONE, 0, 0}, {names->inner, 0, names->file, 7}};
    struct index_line lines[] = {{0, names->file, 5}, {20, names->other, 99}, {30, names->file, 8}, {100, 0, 0}};
    buf__append(&parts.segments, &segment, sizeof(segment));
    buf__append(&parts.units, units, sizeof(units));
    buf__append(&parts.symbols, symbols, sizeof(symbols));
    buf__append(&parts.ranges, ranges, sizeof(ranges));
    buf__append(&parts.scopes, scopes, sizeof(scopes));
    buf__append(&parts.lines, lines, sizeof(lines));
    buf__append(&parts.strings, pool.bytes.data, pool.bytes.length_bytes);
    assert_int_equal(index_parts__write(&parts, out), 0);
    index_parts__release(&parts);
    string_pool__release(&pool);
}

static void finds_what_was_put_in(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct names names;
    struct index index;
    struct index_frame chain[LIMIT_CHAIN];
    size_t length;
    make(&bytes, &names);
    assert_int_equal(index__check(bytes.data, bytes.length_bytes, INDEX_CHECKSUM, &index), 0);

    assert_int_equal(index__find(&index, 0x1000 + 25, false, chain, &length), INDEX_ANSWER_DWARF);
    assert_int_equal(length, 2);
    assert_int_equal(chain[0].function, names.inner);
    assert_int_equal(chain[0].line, 99);
    assert_int_equal(chain[1].function, names.outer); // DWARF's name, though there is a symbol
    assert_int_equal(chain[1].line, 7);               // where inner is called
    assert_int_equal(index__find(&index, 0x1000 + 25, true, chain, &length), INDEX_ANSWER_DWARF);
    assert_int_equal(length, 1);
    assert_int_equal(chain[0].function, names.outer);

    assert_int_equal(index__find(&index, 0x1000 + 30, false, chain, &length), INDEX_ANSWER_DWARF);
    assert_int_equal(length, 1);
    assert_int_equal(chain[0].line, 8);
    assert_int_equal(index__find(&index, 0x1000 + 149, false, chain, &length), INDEX_ANSWER_SYMBOL);
    assert_int_equal(chain[0].function, names.symbol);
    assert_int_equal(chain[0].line, 0);
    assert_int_equal(index__find(&index, 0x1000 + 150, false, chain, &length), INDEX_ANSWER_NONE);
    assert_int_equal(length, 0);
    assert_int_equal(index__find(&index, 0x1000 + 215, false, chain, &length), INDEX_ANSWER_NOT_HERE);
    assert_int_equal(length, 1); // the symbol, until the unit is read
    assert_int_equal(index__find(&index, 0xfff, false, chain, &length), INDEX_ANSWER_NONE);
    assert_int_equal(index__find(&index, UINT64_MAX, false, chain, &length), INDEX_ANSWER_NONE);
    buf__release(&bytes);
}

// Whatever passes the check must be searched without a read outside (the sanitizers watch) and must end.
static void damage_is_refused_or_harmless(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct buf bytes = {0};
    struct names names;
    make(&bytes, &names);
    size_t refused = 0;
    for (size_t at = 0; at < bytes.length_bytes; at++) {
        for (size_t i = 0; i < sizeof(values); i++) {
            struct index index;
            uint8_t *copy = malloc(bytes.length_bytes); // its own, so that its end is watched
            memcpy(copy, bytes.data, bytes.length_bytes);
            bool same = copy[at] == values[i];
            copy[at] = values[i];
            if (!same) // -EPROTONOSUPPORT where the version says so
                assert_true(index__check(copy, bytes.length_bytes, INDEX_CHECKSUM, &index) < 0);
            if (index__check(copy, bytes.length_bytes, 0, &index) != 0) {
                refused++;
            } else {
                struct index_frame chain[LIMIT_CHAIN];
                size_t length;
                for (uint64_t offset = 0xff0; offset < 0x1200; offset++) {
                    index__find(&index, offset, false, chain, &length);
                    for (size_t j = 0; j < length; j++)
                        assert_true(strlen(index.strings + chain[j].function) < bytes.length_bytes);
                }
            }
            free(copy);
        }
    }
    assert_true(refused > 100);
    for (size_t length = 0; length < bytes.length_bytes; length++) {
        struct index index;
        assert_true(index__check(bytes.data, length, 0, &index) < 0);
    }
    buf__release(&bytes);
}

static void another_version_is_said(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct names names;
    struct index index;
    make(&bytes, &names);
    ((struct index_header *)bytes.data)->version++;
    assert_int_equal(index__check(bytes.data, bytes.length_bytes, INDEX_CHECKSUM, &index), -EPROTONOSUPPORT);
    buf__release(&bytes);
}

static void a_chain_has_a_bound(void **state)
{
    (void)state;
    struct index_parts parts = {0};
    struct buf bytes = {0};
    struct index index;
    struct index_frame chain[LIMIT_CHAIN];
    size_t length;
    struct index_segment segment = {0, 0, 100};
    struct range range = {0, 100, 2 * LIMIT_CHAIN - 1};
    buf__append_byte(&parts.strings, 0);
    buf__append(&parts.segments, &segment, sizeof(segment));
    buf__append(&parts.ranges, &range, sizeof(range));
    for (uint32_t i = 0; i < 2 * LIMIT_CHAIN; i++) {
        struct index_scope scope = {.parent = i == 0 ? INDEX_NONE : i - 1, .call_line = i + 1000};
        buf__append(&parts.scopes, &scope, sizeof(scope));
    }
    assert_int_equal(index_parts__write(&parts, &bytes), 0);
    assert_int_equal(index__check(bytes.data, bytes.length_bytes, INDEX_CHECKSUM, &index), 0);
    assert_int_equal(index__find(&index, 50, false, chain, &length), INDEX_ANSWER_DWARF);
    assert_int_equal(length, LIMIT_CHAIN);
    assert_int_equal(chain[LIMIT_CHAIN - 1].line, 1001); // the outermost is kept, where the next one is called
    index_parts__release(&parts);
    buf__release(&bytes);
}

static uint32_t next_random(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

// Tables in which dense and empty stretches of code follow each other, so that pages hold none, one and many items.
static uint32_t make_random(struct index_parts *parts)
{
    uint32_t at = 0, scopes = 1 + next_random() % 5;
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t step = next_random() % 7 == 0 ? 1 + next_random() % 4000 : 1 + next_random() % 3;
        struct range range = {at, at + step, next_random() % scopes}, symbol = {at, at + step, 1 + i};
        struct index_line line = {at, next_random() % 3, next_random() % 3};
        if (next_random() % 4)
            buf__append(&parts->ranges, &range, sizeof(range));
        if (next_random() % 3)
            buf__append(&parts->symbols, &symbol, sizeof(symbol));
        if (next_random() % 2)
            buf__append(&parts->lines, &line, sizeof(line));
        at += step;
    }
    for (uint32_t i = 0; i < scopes; i++) {
        struct index_scope scope = {.name = 500 + i, .parent = INDEX_NONE};
        buf__append(&parts->scopes, &scope, sizeof(scope));
    }
    for (uint32_t i = 0; i < 600; i++)
        buf__append_byte(&parts->strings, i == 0 || i == 599 ? 0 : 'x');
    struct index_segment segment = {0, 0, at + 100};
    buf__append(&parts->segments, &segment, sizeof(segment));
    return at + 100;
}

static void expect_plain_answer(const struct index_parts *parts, const struct index *index, uint32_t address)
{
    struct index_frame chain[LIMIT_CHAIN], expected = {0};
    const struct index_line *lines = (const struct index_line *)parts->lines.data;
    size_t length;
    const struct range *range =
        range__find((const struct range *)parts->ranges.data, parts->ranges.length_bytes / sizeof(*range), address);
    const struct range *symbol =
        range__find((const struct range *)parts->symbols.data, parts->symbols.length_bytes / sizeof(*symbol), address);
    for (size_t i = 0; i < parts->lines.length_bytes / sizeof(*lines) && lines[i].start <= address; i++)
        expected = (struct index_frame){0, lines[i].file, lines[i].file ? lines[i].line : 0};
    expected.function = range ? 500 + range->value : symbol ? symbol->value : 0;
    index__find(index, address, false, chain, &length);
    assert_int_equal(length, range || symbol || expected.file);
    if (length > 0)
        assert_memory_equal(chain, &expected, sizeof(expected));
}

static void pages_find_what_a_plain_search_does(void **state)
{
    (void)state;
    for (size_t round = 0; round < 20; round++) {
        struct index_parts parts = {0};
        struct buf bytes = {0};
        struct index index;
        uint32_t end = make_random(&parts);
        assert_int_equal(index_parts__write(&parts, &bytes), 0);
        assert_int_equal(index__check(bytes.data, bytes.length_bytes, INDEX_CHECKSUM, &index), 0);
        for (uint32_t address = 0; address < end; address += 1 + next_random() % 5)
            expect_plain_answer(&parts, &index, address);
        index_parts__release(&parts);
        buf__release(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_put_in),
                                       cmocka_unit_test(damage_is_refused_or_harmless),
                                       cmocka_unit_test(another_version_is_said), cmocka_unit_test(a_chain_has_a_bound),
                                       cmocka_unit_test(pages_find_what_a_plain_search_does)};
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
