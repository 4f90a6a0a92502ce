// Flattening: each address has the value of the topmost layer over it, as a plain search over all layers finds it.
#include "symbolizer/index/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SPAN 200

static uint32_t random_state = 1;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

// The rule, written down plainly: the latest start, of these the earliest end, of these the highest rank.
static const struct layer *topmost(const struct layer *layers, size_t count, uint32_t address)
{
    const struct layer *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct layer *layer = &layers[i];
        if (address < layer->start || address >= layer->end)
            continue;
        if (!best || layer->start > best->start || (layer->start == best->start && layer->end < best->end) ||
            (layer->start == best->start && layer->end == best->end && layer->rank > best->rank))
            best = layer;
    }
    return best;
}

static void agrees_with_the_rule(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct layer layers[12], sorted[12];
        size_t count = next_random(12) + 1;
        struct buf flat = {0};
        for (size_t i = 0; i < count; i++) {
            uint32_t start = next_random(SPAN);
            // Values by rank, so that layers with equal bounds and rank are the same to the rule.
            layers[i] = (struct layer){
                .start = start, .end = start + next_random(60), .rank = (uint32_t)i, .value = (uint32_t)i};
        }
        memcpy(sorted, layers, sizeof(sorted));
        assert_int_equal(range__flatten(sorted, count, &flat), 0);
        const struct range *ranges = (const struct range *)flat.data;
        size_t range_count = flat.length_bytes / sizeof(*ranges);
        for (size_t i = 1; i < range_count; i++)
            assert_true(ranges[i - 1].end <= ranges[i].start);
        for (uint32_t address = 0; address < SPAN + 70; address++) {
            const struct layer *expected = topmost(layers, count, address);
            const struct range *found = range__find(ranges, range_count, address);
            // An overlap of two that do not nest has two right answers; the later start is the rule where one holds the
            // other. Whether anything is seen is always decided.
            assert_int_equal(found != NULL, expected != NULL);
            if (found && expected)
                assert_true(address >= layers[found->value].start && address < layers[found->value].end);
        }
        buf__release(&flat);
    }
}

static void nested_layers_show_the_inner_one(void **state)
{
    (void)state;
    struct layer layers[] = {{10, 50, 1, 0}, {20, 30, 2, 1}, {20, 25, 3, 2},
                             {20, 30, 9, 0}, {60, 60, 7, 0}, {90, 80, 8, 0}};
    static const struct range expected[] = {{10, 20, 1}, {20, 25, 3}, {25, 30, 2}, {30, 50, 1}};
    struct buf flat = {0};
    assert_int_equal(range__flatten(layers, 6, &flat), 0);
    assert_int_equal(flat.length_bytes, sizeof(expected));
    assert_memory_equal(flat.data, expected, sizeof(expected));
    buf__release(&flat);
}

// gcc leaves siblings that are inlined at one place with equal ranges; llvm-symbolizer shows the later one too.
static void of_equal_layers_the_later_is_seen(void **state)
{
    (void)state;
    for (uint32_t count = 2; count < 40; count++) {
        struct layer layers[41];
        struct buf flat = {0};
        for (uint32_t i = 0; i < count; i++)
            layers[i] = (struct layer){.start = 20, .end = 30, .value = i, .rank = 1};
        layers[count] = (struct layer){.start = 10, .end = 50, .value = 99}; // so that there is something to sort
        assert_int_equal(range__flatten(layers, count + 1, &flat), 0);
        assert_int_equal(flat.length_bytes, 3 * sizeof(struct range));
        assert_int_equal(((const struct range *)flat.data)[1].value, count - 1);
        buf__release(&flat);
    }
}

static void sorting_keeps_the_order_of_equals(void **state)
{
    (void)state;
    static const uint32_t spans[] = {1, 7, 5000, UINT32_MAX};
    for (size_t count = 0; count < 3000; count += 1 + count / 3) {
        for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
            struct range *items = calloc(count + 1, sizeof(*items));
            for (size_t j = 0; j < count; j++)
                items[j] =
                    (struct range){(next_random(1u << 16) << 16 ^ next_random(1u << 24)) % spans[i], 0, (uint32_t)j};
            assert_int_equal(range__sort(items, sizeof(*items), count), 0);
            for (size_t j = 1; j < count; j++)
                assert_true(items[j - 1].start < items[j].start ||
                            (items[j - 1].start == items[j].start && items[j - 1].value < items[j].value));
            free(items);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_layers_show_the_inner_one), cmocka_unit_test(agrees_with_the_rule),
        cmocka_unit_test(of_equal_layers_the_later_is_seen), cmocka_unit_test(sorting_keeps_the_order_of_equals)};
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
