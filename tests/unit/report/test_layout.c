// The laws of profiles: totals are sums, recursion counts once, order is fixed, pruning keeps the sum.
#include "report/profile/layout_prune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t label_of(struct profile *profile, const char *name)
{
    uint32_t label;
    assert_int_equal(profile__keep_label(profile, &(struct label){.name = name, .module = "bin"}, &label), 0);
    return label;
}

static void add(struct profile *profile, const char *stack, uint64_t samples)
{
    char copy[256];
    uint32_t node = 0;
    snprintf(copy, sizeof(copy), "%s", stack);
    for (char *rest = copy, *name; (name = strsep(&rest, ";"));)
        assert_int_equal(profile__child(profile, node, label_of(profile, name), &node), 0);
    profile__count(profile, 0, node, samples, samples * 10);
}

static struct profile *sample_profile(void)
{
    struct profile *profile;
    assert_int_equal(profile__new(&(struct profile_options){0}, &profile), 0);
    add(profile, "nginx;main;serve", 4);
    add(profile, "nginx;main;memcpy", 2);
    add(profile, "nginx;main", 1);
    add(profile, "cc1;main;f;g;f", 8);
    add(profile, "cc1;main;f;g", 16);
    add(profile, "cc1;main;zero", 0);
    add(profile, "nginx;main;serve", 32);
    return profile;
}

static void assert_rows(const struct profile *profile, enum layout_measure measure, enum layout_order order,
                        const char *expected)
{
    struct layout layout;
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    assert_int_equal(layout__make(profile, 0, measure, order, &layout), 0);
    for (uint32_t i = 0; i < layout.count; i++)
        fprintf(file, "%u %s %lu %lu\n", layout.rows[i].depth, profile__label(profile, layout.rows[i].label)->name,
                layout.rows[i].self, layout.rows[i].total);
    fclose(file);
    assert_string_equal(text, expected);
    free(text);
    layout__release(&layout);
}

static void rows_come_in_order_with_their_totals(void **state)
{
    (void)state;
    struct profile *profile = sample_profile();
    assert_rows(profile, LAYOUT_SAMPLES, LAYOUT_BY_NAME,
                "0 all 0 63\n1 cc1 0 24\n2 main 0 24\n3 f 0 24\n4 g 16 24\n5 f 8 8\n"
                "1 nginx 0 39\n2 main 1 39\n3 memcpy 2 2\n3 serve 36 36\n");
    assert_rows(profile, LAYOUT_VALUE, LAYOUT_BY_WEIGHT,
                "0 all 0 630\n1 nginx 0 390\n2 main 10 390\n3 serve 360 360\n3 memcpy 20 20\n"
                "1 cc1 0 240\n2 main 0 240\n3 f 0 240\n4 g 160 240\n5 f 80 80\n");
    profile__free(profile);
}

static void recursion_counts_once_in_totals(void **state)
{
    (void)state;
    struct profile *profile = sample_profile();
    struct layout layout;
    struct layout_sum *sums;
    assert_int_equal(layout__make(profile, 0, LAYOUT_SAMPLES, LAYOUT_BY_NAME, &layout), 0);
    assert_int_equal(layout__sum(&layout, profile__label_count(profile), &sums), 0);
    uint64_t selves = 0;
    for (uint32_t i = 0; i < profile__label_count(profile); i++) {
        assert_true(sums[i].self <= sums[i].total);
        assert_true(sums[i].total <= 63);
        selves += sums[i].self;
    }
    assert_int_equal(selves, 63);
    assert_int_equal(sums[label_of(profile, "f")].total, 24);
    assert_int_equal(sums[label_of(profile, "f")].self, 8);
    assert_int_equal(sums[label_of(profile, "main")].total, 63);
    free(sums);
    layout__release(&layout);
    profile__free(profile);
}

// Rows for lighter frames; each is a leaf, the last of its parent's.
static uint32_t count_lighter(const struct layout *layout)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < layout->count; i++) {
        if (layout->rows[i].label != LAYOUT_LIGHTER)
            continue;
        count++;
        assert_int_equal(layout->rows[i].self, layout->rows[i].total);
        assert_true(i + 1 == layout->count || layout->rows[i + 1].depth < layout->rows[i].depth);
    }
    return count;
}

// Frames that stay weigh by themselves what they weighed before: what is lighter is not added to them.
static void pruning_changes_no_row_that_stays(void **state)
{
    (void)state;
    struct profile *profile;
    assert_int_equal(profile__new(&(struct profile_options){0}, &profile), 0);
    for (unsigned i = 1; i <= 900; i++) {
        char stack[64];
        snprintf(stack, sizeof(stack), "comm;f%u;g%u", i % 4, i % 100);
        add(profile, stack, i % 11);
        stack[7] = '\0';
        add(profile, stack, 1);
    }
    struct layout whole, layout;
    uint32_t cut;
    assert_int_equal(layout__make(profile, 0, LAYOUT_SAMPLES, LAYOUT_BY_NAME, &whole), 0);
    assert_int_equal(layout__make(profile, 0, LAYOUT_SAMPLES, LAYOUT_BY_NAME, &layout), 0);
    assert_int_equal(layout__prune(&layout, 50, &cut), 0);
    assert_true(cut > 0 && layout.count <= 50);
    for (uint32_t i = 0, at = 0; i < layout.count; i++) {
        if (layout.rows[i].label == LAYOUT_LIGHTER)
            continue;
        while (whole.rows[at].node != layout.rows[i].node)
            at++;
        assert_int_equal(layout.rows[i].self, whole.rows[at].self);
        assert_int_equal(layout.rows[i].total, whole.rows[at].total);
    }
    layout__release(&layout);
    layout__release(&whole);
    profile__free(profile);
}

static void pruning_keeps_the_sum_and_the_heaviest(void **state)
{
    (void)state;
    struct profile *profile;
    assert_int_equal(profile__new(&(struct profile_options){0}, &profile), 0);
    uint64_t whole = 0;
    for (unsigned i = 1; i <= 3000; i++) {
        char stack[64];
        snprintf(stack, sizeof(stack), "comm%u;f%u;g%u;h%u", i % 3, i % 41, i % 7, i);
        add(profile, stack, i);
        whole += i;
    }
    static const uint32_t limits[] = {2, 3, 10, 100, 1000, 3000, 100000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct layout layout;
        assert_int_equal(layout__make(profile, 0, LAYOUT_SAMPLES, LAYOUT_BY_NAME, &layout), 0);
        uint32_t before = layout.count, cut;
        assert_int_equal(layout__prune(&layout, limits[i], &cut), 0);
        assert_true(layout.count <= limits[i]);
        uint32_t lighter = count_lighter(&layout);
        assert_int_equal(layout.count - lighter + cut, before);
        assert_true(cut ? lighter > 0 : lighter == 0);
        assert_int_equal(layout.rows[0].total, whole);
        uint64_t selves = 0;
        for (uint32_t row = 0; row < layout.count; row++) {
            assert_true(row == 0 || layout.rows[row].depth <= layout.rows[row - 1].depth + 1);
            selves += layout.rows[row].self;
        }
        assert_int_equal(selves, whole);
        layout__release(&layout);
    }
    profile__free(profile);
}

// Two sides: the second has each third stack more often.
static void both_sides_keep_their_sums(void **state)
{
    (void)state;
    struct profile *profile;
    assert_int_equal(profile__new(&(struct profile_options){.sides = 2}, &profile), 0);
    uint64_t sums[2] = {0};
    for (unsigned i = 1; i <= 2000; i++) {
        char stack[64];
        snprintf(stack, sizeof(stack), "comm%u;f%u;g%u", i % 3, i % 41, i);
        add(profile, stack, i);
        uint32_t node = profile__node_count(profile) - 1;
        profile__count(profile, 1, node, i % 3 ? 0 : 2 * i, 0);
        sums[0] += i;
        sums[1] += i % 3 ? 0 : 2 * i;
    }
    static const uint32_t limits[] = {2, 50, 500, 100000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct layout layout;
        uint32_t cut;
        uint64_t sides[2] = {0}, selves = 0;
        assert_int_equal(layout__make(profile, LAYOUT_BOTH, LAYOUT_SAMPLES, LAYOUT_BY_NAME, &layout), 0);
        assert_int_equal(layout__prune(&layout, limits[i], &cut), 0);
        assert_true(layout.count <= limits[i]);
        for (uint32_t row = 0; row < layout.count; row++) {
            assert_int_equal(layout.rows[row].self, layout.sides[row][0] + layout.sides[row][1]);
            sides[0] += layout.sides[row][0];
            sides[1] += layout.sides[row][1];
            selves += layout.rows[row].self;
        }
        assert_int_equal(sides[0], sums[0]);
        assert_int_equal(sides[1], sums[1]);
        assert_int_equal(selves, layout.rows[0].total);
        layout__release(&layout);
    }
    profile__free(profile);
}

static void labels_are_clean_and_widen_their_lines(void **state)
{
    (void)state;
    struct profile *profile;
    uint32_t first, again, other;
    assert_int_equal(profile__new(&(struct profile_options){0}, &profile), 0);
    struct label label = {.name = "f\n", .module = "bin", .file = "f.c", .line_first = 20, .line_last = 20};
    assert_int_equal(profile__keep_label(profile, &label, &first), 0);
    label.line_first = label.line_last = 12;
    assert_int_equal(profile__keep_label(profile, &label, &again), 0);
    label.inlined = true;
    assert_int_equal(profile__keep_label(profile, &label, &other), 0);
    assert_int_equal(first, again);
    assert_int_not_equal(first, other);
    assert_string_equal(profile__label(profile, first)->name, "f\\x0a");
    assert_int_equal(profile__label(profile, first)->line_first, 12);
    assert_int_equal(profile__label(profile, first)->line_last, 20);
    profile__free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_order_with_their_totals),
        cmocka_unit_test(recursion_counts_once_in_totals),
        cmocka_unit_test(pruning_keeps_the_sum_and_the_heaviest),
        cmocka_unit_test(pruning_changes_no_row_that_stays),
        cmocka_unit_test(both_sides_keep_their_sums),
        cmocka_unit_test(labels_are_clean_and_widen_their_lines),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
