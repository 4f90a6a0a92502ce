// Text of strangers becomes one line that a terminal only prints.
#include "store/base/safe_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_clean(const char *text, const char *expected)
{
    struct buf buf = {0};
    safe_text__append(&buf, text);
    buf__append_byte(&buf, '\0');
    assert_string_equal((char *)buf.data, expected);
    buf__release(&buf);
}

static void clean_text_only_prints(void **state)
{
    (void)state;
    assert_clean("std::vector<int>::push_back", "std::vector<int>::push_back");
    assert_clean("a\nb\x1b[2Jc\x7f", "a\\x0ab\\x1b[2Jc\\x7f");
    assert_clean("na\xc3\xafve \xe6\x97\xa5 \xf0\x9f\x94\xa5", "na\xc3\xafve \xe6\x97\xa5 \xf0\x9f\x94\xa5");
    assert_clean("\xc2\x9b"
                 "2J",
                 "\\x9b2J");                                            // CSI as one C1 character
    assert_clean("x\xe2\x80\xaeyx\xe2\x80\xa8z", "x\\u202eyx\\u2028z"); // right-to-left override, line separator
    assert_clean("\xff\xc3", "\\xff\\xc3");                             // no UTF-8; a sequence cut off by the end
    assert_clean("\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80",
                 "\\xc0\\xaf\\xed\\xa0\\x80\\xf5\\x80\\x80\\x80"); // overlong, surrogate, beyond Unicode
}

static void every_byte_and_character_is_harmless(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        const char text[] = {'a', (char)byte, '\0'};
        char out[16];
        safe_text__copy(text, out, sizeof(out));
        bool is_plain = byte >= 0x20 && byte < 0x7f;
        assert_int_equal(strlen(out), is_plain ? 2 : 5);
    }
    for (unsigned point = 0x80; point < 0x3000; point++) {
        const char two[] = {(char)(0xc0 | point >> 6), (char)(0x80 | (point & 0x3f)), '\0'};
        const char three[] = {(char)(0xe0 | point >> 12), (char)(0x80 | (point >> 6 & 0x3f)),
                              (char)(0x80 | (point & 0x3f)), '\0'};
        const char *text = point < 0x800 ? two : three;
        bool is_control = point < 0xa0, turns = point == 0x61c || point == 0x200e || point == 0x200f ||
                                                (point >= 0x2028 && point <= 0x202e) ||
                                                (point >= 0x2066 && point <= 0x2069);
        char out[16], expected[16];
        snprintf(expected, sizeof(expected), is_control ? "\\x%02x" : "\\u%04x", point);
        safe_text__copy(text, out, sizeof(out));
        assert_string_equal(out, is_control || turns ? expected : text);
    }
}

static void a_cut_is_between_characters(void **state)
{
    (void)state;
    char out[6];
    assert_int_equal(safe_text__copy("ab\n", out, sizeof(out)), 2);
    assert_string_equal(out, "ab");
    assert_int_equal(safe_text__copy("abcd\xc3\xa9", out, sizeof(out)), 4);
    assert_string_equal(out, "abcd");
    assert_int_equal(safe_text__copy("x", out, 0), 0);
}

static void a_line_is_one_line(void **state)
{
    (void)state;
    char *out = NULL;
    size_t length;
    FILE *file = open_memstream(&out, &length);
    safe_text__print(file, "name: %s, %d", "a\nhearth: forged\r\x1b[1A\xc2\x85", 7);
    fclose(file);
    assert_string_equal(out, "name: a\\x0ahearth: forged\\x0d\\x1b[1A\\x85, 7\n");
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_text_only_prints), cmocka_unit_test(every_byte_and_character_is_harmless),
        cmocka_unit_test(a_cut_is_between_characters), cmocka_unit_test(a_line_is_one_line)};
    return cmocka_run_group_tests_name("safe_text", tests, NULL, NULL);
}
