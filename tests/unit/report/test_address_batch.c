// Addresses as words: what is read of lines, whole and not, and where the text of an answer ends up.
#include "report/commands/address_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void reads_lines_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool bad;
        uint64_t address;
    } cases[] = {{"0x1139", false, 0x1139},
                 {"  1139 \r", false, 0x1139},
                 {"\tFFFFffffFFFFfffe", false, 0xfffffffffffffffe},
                 {"0X0a", false, 10},
                 {"0000000000000000000000001", false, 1},
                 {"0x", true, 0},
                 {"", true, 0},
                 {"-1", true, 0},
                 {"+1", true, 0},
                 {"12g", true, 0},
                 {"1 2", true, 0},
                 {"10000000000000000", true, 0}};
    struct address_batch batch = {0};
    struct buf input = {0};
    size_t count = sizeof(cases) / sizeof(cases[0]);
    for (size_t i = 0; i < count; i++) {
        buf__append_string(&input, cases[i].line);
        buf__append_byte(&input, '\n');
    }
    assert_int_equal(address_batch__add_lines(&batch, &input, false), 0);
    assert_int_equal(batch.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(batch.bad[i], cases[i].bad);
        assert_int_equal(batch.addresses[i], cases[i].bad ? UINT64_MAX : cases[i].address);
    }
    buf__release(&input);
    address_batch__release(&batch);
}

static void a_line_that_is_not_whole_waits(void **state)
{
    (void)state;
    struct address_batch batch = {0};
    struct buf input = {0};
    buf__append_string(&input, "10\n2");
    assert_int_equal(address_batch__add_lines(&batch, &input, false), 0);
    assert_int_equal(batch.count, 1);
    assert_int_equal(input.length_bytes, 1);
    buf__append_string(&input, "0");
    assert_int_equal(address_batch__add_lines(&batch, &input, true), 0);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.addresses[0], 0x20);
    assert_int_equal(input.length_bytes, 0);
    buf__release(&input);
    address_batch__release(&batch);
}

static void expect_text(const struct address_batch *batch, size_t place, const char *text)
{
    assert_int_equal(batch->answers[place].length, strlen(text));
    assert_memory_equal(batch->text.data + batch->answers[place].at, text, strlen(text));
}

// Answers come in the order of the file; equal ones of a part share their text, those of two parts never do: the same
// pointer may stand for another name by then.
static void equal_answers_share_their_text(void **state)
{
    (void)state;
    char name[] = "first";
    struct symbol chain[] = {{.function = "in\tner", .file = "a.h", .line = 7}, {.function = name, .file = ""}};
    const size_t places[] = {3, 1};
    struct address_batch batch = {0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(address_batch__add(&batch, "1", 1), 0);
    assert_int_equal(address_batch__begin(&batch), 0);
    address_batch__take_of_file(2, chain, 2, &batch);
    address_batch__take_of_file(0, chain, 2, &batch);
    memcpy(name, "other", sizeof(name));
    address_batch__begin_part(&batch, places);
    address_batch__take_of_file(0, chain, 2, &batch);
    assert_int_equal(address_batch__end(&batch), 0);
    expect_text(&batch, 0, "in\\x09ner a.h:7\nfirst ??:0\n\n");
    expect_text(&batch, 1, "?? ??:0\n\n");
    expect_text(&batch, 2, "in\\x09ner a.h:7\nfirst ??:0\n\n");
    expect_text(&batch, 3, "in\\x09ner a.h:7\nother ??:0\n\n");
    assert_int_equal(batch.answers[0].at, batch.answers[2].at);
    address_batch__release(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_lines_as_people_write_them),
                                       cmocka_unit_test(a_line_that_is_not_whole_waits),
                                       cmocka_unit_test(equal_answers_share_their_text)};
    return cmocka_run_group_tests_name("address_batch", tests, NULL, NULL);
}
