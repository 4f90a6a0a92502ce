// The live table without its terminal: rows, order, filter, the trees below rows, and what the keys do.
#include "report/top/top.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/text/display_width.h"

static uint32_t label_of(struct profile *profile, const char *name, bool is_root)
{
    uint32_t label;
    const struct label wanted = {
        .name = name, .module = is_root ? "" : "bin", .kind = is_root ? LABEL_ROOT : STORE_BINARY_ELF};
    assert_int_equal(profile__keep_label(profile, &wanted, &label), 0);
    return label;
}

// "root;frame;frame"
static void add(struct profile *profile, const char *stack, uint64_t samples)
{
    char copy[256];
    uint32_t node = 0;
    snprintf(copy, sizeof(copy), "%s", stack);
    for (char *rest = copy, *name; (name = strsep(&rest, ";"));)
        assert_int_equal(profile__child(profile, node, label_of(profile, name, node == 0), &node), 0);
    profile__count(profile, 0, node, samples, samples * 10);
}

struct counted {
    const char *stack, *unit;
    uint64_t samples;
};
static const struct counted sample[] = {
    {"nginx-1;main;serve", "web", 40}, {"nginx-1;main;memcpy", "web", 25}, {"nginx-1;main", "web", 5},
    {"cc1-2;main;f;g;f", "user", 10},  {"cc1-2;main;f;g", "user", 15},     {"cc1-2;main;serve;memcpy", "user", 5},
};
#define SAMPLE_COUNT (sizeof(sample) / sizeof(sample[0]))

static struct top_window sample_window(const struct counted *counted, size_t count)
{
    struct top_window window = {.measure = LAYOUT_SAMPLES, .unit = "samples", .until_ns = 1};
    assert_int_equal(profile__new(&(struct profile_options){0}, &window.by_process), 0);
    assert_int_equal(profile__new(&(struct profile_options){0}, &window.by_unit), 0);
    for (size_t i = 0; i < count; i++) {
        char by_unit[128];
        add(window.by_process, counted[i].stack, counted[i].samples);
        snprintf(by_unit, sizeof(by_unit), "%s%s", counted[i].unit, strchr(counted[i].stack, ';'));
        add(window.by_unit, by_unit, counted[i].samples);
    }
    return window;
}

// "name self total, ..." with a dot for each column that a name is indented.
static const char *words(const struct top_rows *rows)
{
    static char text[1024];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rows->count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s%s %lu %lu", i ? ", " : "",
                                 (int)rows->rows[i].depth, "........", rows->rows[i].name, rows->rows[i].self,
                                 rows->rows[i].total);
    return text;
}

static void assert_rows(const struct top_choice *choice, const char *expected)
{
    struct top_rows rows = {0};
    struct top_window window = sample_window(sample, SAMPLE_COUNT);
    const struct profile *profile = choice->view == TOP_UNITS ? window.by_unit : window.by_process;
    assert_int_equal(top_rows__make(profile, LAYOUT_SAMPLES, choice, &rows), 0);
    assert_string_equal(words(&rows), expected);
    assert_int_equal(rows.whole, 100);
    top_rows__release(&rows);
    top_window__release(&window);
}

static void each_view_has_its_rows(void **state)
{
    (void)state;
    assert_rows(&(struct top_choice){.view = TOP_FUNCTIONS}, "serve 40 45, memcpy 30 30, g 15 25, f 10 25, main 5 100");
    assert_rows(&(struct top_choice){.view = TOP_PROCESSES}, "nginx-1 70 70, cc1-2 30 30");
    assert_rows(&(struct top_choice){.view = TOP_UNITS}, "web 70 70, user 30 30");
    assert_rows(&(struct top_choice){.view = TOP_STACKS},
                "serve < main 40 40, memcpy < main 25 25, g < f < main 15 15, f < g < f < main 10 10, main 5 5, "
                "memcpy < serve < main 5 5");
}

static void rows_are_sorted(void **state)
{
    (void)state;
    assert_rows(&(struct top_choice){.sort = TOP_BY_TOTAL}, "main 5 100, serve 40 45, memcpy 30 30, g 15 25, f 10 25");
    assert_rows(&(struct top_choice){.sort = TOP_BY_NAME}, "f 10 25, g 15 25, main 5 100, memcpy 30 30, serve 40 45");
    assert_rows(&(struct top_choice){.sort = TOP_BY_NAME, .is_reversed = true},
                "serve 40 45, memcpy 30 30, main 5 100, g 15 25, f 10 25");
}

static void rows_are_filtered(void **state)
{
    (void)state;
    assert_rows(&(struct top_choice){.filter = "M"}, "memcpy 30 30, main 5 100");
    assert_rows(&(struct top_choice){.filter = "nowhere"}, "");
    assert_rows(&(struct top_choice){.view = TOP_STACKS, .filter = "SERVE"},
                "serve < main 40 40, memcpy < serve < main 5 5");
    assert_rows(&(struct top_choice){.view = TOP_STACKS, .filter = "cc1"},
                "g < f < main 15 15, f < g < f < main 10 10, memcpy < serve < main 5 5");
    assert_rows(&(struct top_choice){.view = TOP_PROCESSES, .filter = "serve"}, "");
}

static struct top *sample_top(void)
{
    struct top *top;
    struct top_window window = sample_window(sample, SAMPLE_COUNT);
    assert_int_equal(top__new(&top), 0);
    assert_int_equal(top__take(top, &window), 0);
    assert_null(window.by_process);
    return top;
}

static bool press(struct top *top, int key)
{
    bool ends;
    assert_int_equal(top__press(top, key, &ends), 0);
    return ends;
}

static struct top_look look_at(const struct top *top)
{
    struct top_look look;
    top__look(top, &look);
    return look;
}

static const char *chosen(const struct top *top)
{
    struct top_look look = look_at(top);
    return look.rows->rows[look.chosen].name;
}

static void below_a_row_is_its_tree(void **state)
{
    (void)state;
    struct top *top = sample_top();
    press(top, TOP_KEY_ENTER); // serve, in two processes
    assert_string_equal(look_at(top).subject, "serve");
    assert_string_equal(words(look_at(top).rows), "serve 40 45, memcpy 5 5");
    press(top, TOP_KEY_ESCAPE);
    assert_null(look_at(top).subject);
    press(top, TOP_KEY_DOWN);
    press(top, TOP_KEY_DOWN);
    press(top, TOP_KEY_DOWN);
    assert_string_equal(chosen(top), "f");
    press(top, TOP_KEY_ENTER); // a function that calls itself again counts once
    assert_string_equal(words(look_at(top).rows), "f 0 25, g 15 25, f 10 10");
    press(top, TOP_KEY_DOWN);
    press(top, TOP_KEY_ENTER); // the tree below a row of a tree
    assert_string_equal(words(look_at(top).rows), "g 15 25, f 10 10");
    press(top, TOP_KEY_LEFT);
    assert_string_equal(chosen(top), "g");
    press(top, TOP_KEY_LEFT);
    assert_string_equal(chosen(top), "f");
    press(top, '2');
    press(top, TOP_KEY_ENTER); // calls are indented where they part
    assert_string_equal(words(look_at(top).rows), "nginx-1 0 70, main 5 70, ..serve 40 40, ..memcpy 25 25");
    press(top, '3');
    press(top, TOP_KEY_ENTER);
    assert_string_equal(words(look_at(top).rows), "web 0 70, main 5 70, ..serve 40 40, ..memcpy 25 25");
    press(top, '4');
    press(top, TOP_KEY_END);
    press(top, TOP_KEY_ENTER); // of a stack, its frames, the root first
    assert_string_equal(words(look_at(top).rows), "cc1-2 0 5, main 0 5, serve 0 5, memcpy 5 5");
    top__free(top);
}

static void type(struct top *top, const char *text)
{
    for (; *text; text++)
        press(top, (uint8_t)*text);
}

static void a_filter_is_typed(void **state)
{
    (void)state;
    struct top *top = sample_top();
    type(top, "/qm\xc3\xa9");
    assert_true(look_at(top).is_typing);
    assert_string_equal(look_at(top).choice.filter, "qm\xc3\xa9");
    press(top, TOP_KEY_BACKSPACE); // a character, not a byte
    assert_string_equal(look_at(top).choice.filter, "qm");
    press(top, TOP_KEY_BACKSPACE);
    press(top, TOP_KEY_BACKSPACE);
    press(top, TOP_KEY_BACKSPACE);
    assert_string_equal(look_at(top).choice.filter, "");
    type(top, "mem\r\x1b\x07");
    assert_string_equal(look_at(top).choice.filter, "mem"); // controls are no text
    press(top, TOP_KEY_ENTER);
    assert_false(look_at(top).is_typing);
    assert_string_equal(words(look_at(top).rows), "memcpy 30 30");
    press(top, TOP_KEY_ESCAPE);
    assert_int_equal(look_at(top).rows->count, 5);
    type(top, "2");
    press(top, TOP_KEY_ENTER);
    type(top, "/memc");
    press(top, TOP_KEY_ENTER); // what leads there stays
    assert_string_equal(words(look_at(top).rows), "nginx-1 0 70, main 5 70, memcpy 25 25");
    type(top, "/");
    for (int i = 0; i < 200; i++)
        press(top, 'x');
    assert_in_range(strlen(look_at(top).choice.filter), 20, 100);
    top__free(top);
}

static void the_chosen_row_stays(void **state)
{
    (void)state;
    static const struct counted later[] = {
        {"cc1-2;main;g", "user", 100}, {"cc1-2;main;fresh", "user", 90}, {"nginx-1;main;memcpy", "web", 1}};
    struct top *top = sample_top();
    struct top_window window = sample_window(later, 3);
    assert_string_equal(chosen(top), "serve");
    assert_int_equal(top__take(top, &window), 0);
    assert_string_equal(chosen(top), "g"); // the topmost is chosen until another one is
    press(top, TOP_KEY_DOWN);
    press(top, TOP_KEY_DOWN);
    assert_string_equal(chosen(top), "memcpy");
    window = sample_window(sample, SAMPLE_COUNT);
    assert_int_equal(top__take(top, &window), 0);
    assert_string_equal(chosen(top), "memcpy");
    assert_int_equal(look_at(top).chosen, 1);
    window = sample_window(later, 2); // it is gone
    assert_int_equal(top__take(top, &window), 0);
    assert_string_equal(chosen(top), "fresh");
    window = sample_window(later, 0);
    assert_int_equal(top__take(top, &window), 0);
    assert_int_equal(look_at(top).rows->count, 0);
    press(top, TOP_KEY_ENTER);
    press(top, TOP_KEY_DOWN);
    assert_null(look_at(top).subject);
    top__free(top);
}

static void a_frozen_table_changes_by_its_keys_alone(void **state)
{
    (void)state;
    struct top *top = sample_top();
    struct top_window window = sample_window(sample, 1);
    press(top, ' ');
    assert_true(look_at(top).is_frozen);
    assert_int_equal(top__take(top, &window), 0);
    assert_null(window.by_process);
    assert_int_equal(look_at(top).rows->count, 5);
    press(top, '3');
    assert_string_equal(words(look_at(top).rows), "web 70 70, user 30 30");
    press(top, 'z');
    window = sample_window(sample, 1);
    assert_int_equal(top__take(top, &window), 0);
    assert_string_equal(words(look_at(top).rows), "web 40 40");
    top__free(top);
}

static void rows_that_are_seen_hold_the_chosen_one(void **state)
{
    (void)state;
    struct top *top = sample_top();
    for (size_t visible = 1; visible < 8; visible++)
        for (int i = 0; i < 40; i++) {
            static const int keys[] = {
                TOP_KEY_DOWN, TOP_KEY_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_END, TOP_KEY_HOME, 'j', 'k'};
            press(top, keys[(size_t)(i * i + i / 3) % 8]);
            top__fit(top, visible);
            struct top_look look = look_at(top);
            assert_true(look.first <= look.chosen && look.chosen < look.first + visible);
            assert_true(look.chosen < look.rows->count);
            assert_true(look.first == 0 || look.first + visible <= look.rows->count);
        }
    top__free(top);
}

static void other_keys(void **state)
{
    (void)state;
    struct top *top = sample_top();
    assert_int_equal(top__seconds(top), 10);
    for (int i = 0; i < 9; i++)
        press(top, '+');
    assert_int_equal(top__seconds(top), 60);
    for (int i = 0; i < 9; i++)
        press(top, '-');
    assert_int_equal(top__seconds(top), 1);
    press(top, '>');
    assert_int_equal(look_at(top).choice.sort, TOP_BY_TOTAL);
    press(top, '<');
    press(top, '<');
    assert_int_equal(look_at(top).choice.sort, TOP_BY_NAME);
    press(top, 'r');
    assert_string_equal(chosen(top), "serve");
    press(top, '?');
    assert_true(look_at(top).shows_help);
    press(top, '2');
    assert_false(look_at(top).shows_help);
    for (int key = 0; key < 256; key++)
        if (key != 'q')
            assert_false(press(top, key));
    press(top, TOP_KEY_ENTER); // of the filter that '/' has begun
    assert_true(press(top, 'q'));
    top__free(top);
}

static void assert_cut(const char *clean, size_t columns, bool is_utf8, const char *expected, size_t width)
{
    _cleanup_(buf__release) struct buf buf = {0};
    assert_int_equal(display_width__append(&buf, clean, columns, is_utf8), width);
    assert_true(width <= columns);
    buf__append_byte(&buf, '\0');
    assert_string_equal((const char *)buf.data, expected);
}

#define SIGN "\xe2\x80\xa6"
#define WIDE "\xe6\xbc\xa2" // two columns

static void names_are_cut_at_their_end_by_width(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    assert_cut("name", 4, true, "name", 4);
    assert_cut("names", 4, true, "nam" SIGN, 4);
    assert_cut("names", 1, true, SIGN, 1);
    assert_cut("names", 0, true, "", 0);
    assert_cut("", 0, true, "", 0);
    assert_cut("", 4, true, "", 0);
    assert_cut(WIDE WIDE, 4, true, WIDE WIDE, 4);
    assert_cut(WIDE WIDE WIDE, 5, true, WIDE WIDE SIGN, 5);
    assert_cut(WIDE WIDE WIDE, 4, true, WIDE SIGN, 3);
    assert_cut(WIDE WIDE, 2, true, SIGN, 1);
    assert_cut("a\xcc\x81"
               "b",
               2, true,
               "a\xcc\x81"
               "b",
               2);
    assert_cut("a\xcc\x81"
               "bc",
               2, true, "a\xcc\x81" SIGN, 2);
    assert_cut("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 2, true, "a\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 1);
    assert_cut(WIDE "ab", 3, false, "?ab", 3);
    assert_cut(WIDE "abc", 3, false, "?a+", 3);
    assert_cut("a\033[31m\xc2\x9b", 9, true, "a?[31m?", 7); // clean text has none
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_view_has_its_rows),
        cmocka_unit_test(rows_are_sorted),
        cmocka_unit_test(rows_are_filtered),
        cmocka_unit_test(below_a_row_is_its_tree),
        cmocka_unit_test(a_filter_is_typed),
        cmocka_unit_test(the_chosen_row_stays),
        cmocka_unit_test(a_frozen_table_changes_by_its_keys_alone),
        cmocka_unit_test(rows_that_are_seen_hold_the_chosen_one),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(names_are_cut_at_their_end_by_width),
    };
    return cmocka_run_group_tests_name("report/top", tests, NULL, NULL);
}
