// Names from strangers: whatever they hold, a terminal, a line, JSON and HTML stay whole.
#include "report/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_put(void (*put)(FILE *, const char *), const char *text, const char *expected)
{
    char *out = NULL;
    size_t length;
    FILE *file = open_memstream(&out, &length);
    put(file, text);
    fclose(file);
    assert_string_equal(out, expected);
    free(out);
}

static void json_cannot_end_a_script(void **state)
{
    (void)state;
    assert_put(text__put_json, "operator\"\"_x", "\"operator\\\"\\\"_x\"");
    assert_put(text__put_json, "a\\b", "\"a\\\\b\"");
    assert_put(text__put_json, "</script><!--&", "\"\\u003c/script\\u003e\\u003c!--\\u0026\"");
    assert_put(text__put_json, "\xe2\x80\xa8|\xe2\x80\xa9|\xe2\x80\xa6", "\"\\u2028|\\u2029|\xe2\x80\xa6\"");
    assert_put(text__put_json, "\n\x01", "\"\\u000a\\u0001\"");
    assert_put(text__put_json, "\xe2\x28", "\"\\ufffd(\"");
}

static void markup_cannot_open_a_tag(void **state)
{
    (void)state;
    assert_put(text__put_markup, "a<b>&\"'", "a&#60;b&#62;&#38;&#34;&#39;");
}

static void folded_frames_stay_apart(void **state)
{
    (void)state;
    struct buf buf = {0};
    text__append_folded(&buf, "a;b;;");
    buf__append_byte(&buf, '\0');
    assert_string_equal((char *)buf.data, "a:b::");
    buf__release(&buf);
}

static void amounts_read_well(void **state)
{
    (void)state;
    static const struct {
        wide amount;
        const char *unit, *expected;
    } cases[] = {
        {0, "ns", "0 ns"},
        {999, "ns", "999 ns"},
        {1234567, "ns", "1.23 ms"},
        {45e9, "ns", "45.0 s"},
        {1536, "bytes", "1.50 KiB"},
        {1234567, "samples", "1,234,567"},
        {100, "samples", "100"},
        {1000, "count", "1,000"},
        {UINT64_MAX, "x", "18,446,744,073,709,551,615"},
        {-1, "count", "-1"},
        {-1234, "count", "-1,234"},
        {-123456, "count", "-123,456"},
        {-1234567, "ns", "-1.23 ms"},
        {(wide)UINT64_MAX * 1000, "x", "18,446,744,073,709,551,615,000"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[TEXT_AMOUNT_BYTES];
        text__amount(cases[i].amount, cases[i].unit, text);
        assert_string_equal(text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_cannot_end_a_script),
        cmocka_unit_test(markup_cannot_open_a_tag),
        cmocka_unit_test(folded_frames_stay_apart),
        cmocka_unit_test(amounts_read_well),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
