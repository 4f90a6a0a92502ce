// Patterns of names: the kernel side and reports take the names whose first 15 bytes fnmatch() takes.
#include "store/base/name_pattern.h"

#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/wire/name_pattern.h"

// The answer of both sides for a name; they must agree. Longer names are cut as the kernel does.
static bool matches(const struct name_pattern *pattern, const char *name)
{
    struct wire_name_pattern wire;
    char comm[WIRE_COMM_BYTES] = "";
    assert_int_equal(sizeof(wire), sizeof(*pattern));
    memcpy(&wire, pattern, sizeof(wire));
    strncpy(comm, name, sizeof(comm) - 1);
    bool in_kernel = wire_name_pattern__matches(&wire, comm);
    assert_int_equal(name_pattern__matches(pattern, name), in_kernel);
    return in_kernel;
}

static bool text_matches(const char *text, const char *name)
{
    struct name_pattern pattern;
    assert_int_equal(name_pattern__parse(text, NULL, &pattern), 0);
    return matches(&pattern, name);
}

static void takes_fifteen_bytes(void **state)
{
    (void)state;
    assert_int_equal(NAME_PATTERN_BYTES + 1, WIRE_COMM_BYTES);
    const char *whole = "a-very-long-program-name", *kept = "a-very-long-pro";
    assert_true(text_matches(whole, kept));
    assert_true(text_matches(whole, whole));
    assert_true(text_matches(kept, whole));
    assert_true(text_matches("a-very-long-program-*", kept));
    assert_true(text_matches("a-very-long-p?ogr[ab]m", kept));
    assert_true(text_matches("a-very-*", kept));
    assert_true(text_matches("*-pro", kept));
    assert_true(text_matches("a*pro", kept));
    assert_true(text_matches("*", ""));
    assert_true(text_matches("", ""));
    assert_true(text_matches("\\*", "*"));
    assert_true(text_matches("\xc3*\xff", "\xc3\xa9\xff"));
    assert_false(text_matches("a-very-long-pr", kept)); // shorter is not the same
    assert_false(text_matches("a-very-long-program-name", "a-very-long-pr"));
    assert_false(text_matches("another-long-program", kept));
    assert_false(text_matches("", "x"));
    assert_false(text_matches("\\*", "x"));
}

static void refuses_what_matches_nothing(void **state)
{
    (void)state;
    struct name_pattern pattern = {.end = 77};
    struct fault fault = {0};
    assert_int_equal(name_pattern__parse("very*-long-program-name", &fault, &pattern), -EINVAL);
    assert_int_equal(fault.code, EXIT_CODE_USAGE);
    assert_int_equal(pattern.end, 77);
    assert_int_equal(name_pattern__parse("very*-long-program", NULL, &pattern), -EINVAL);
    assert_int_equal(name_pattern__parse("very*long-progr**", NULL, &pattern), 0);
}

// Of few letters, so that much matches, and of what means something in patterns.
static void random_text(char *text, size_t most, const char *letters)
{
    size_t length = (size_t)random() % (most + 1), count = strlen(letters);
    for (size_t i = 0; i < length; i++)
        text[i] = letters[(size_t)random() % count];
    text[length] = '\0';
}

static void says_what_fnmatch_says(void **state)
{
    (void)state;
    struct name_pattern pattern;
    unsigned yes = 0, no = 0;
    srandom(7);
    for (unsigned i = 0; i < 30000; i++) {
        char text[16], name[16];
        random_text(text, i % 2 ? 15 : 6, "abbb**??[[]]!-\\^");
        random_text(name, i % 2 ? 15 : 5, "abbbb[]-!\\");
        size_t length = strlen(text);
        if (length && text[length - 1] == '\\')
            text[length - 1] = 'a'; // fnmatch() takes no `\` at the end; here it is itself
        if (name_pattern__parse(text, NULL, &pattern) != 0)
            fail_msg("'%s' has at most 15 bytes and is refused", text);
        bool expected = fnmatch(text, name, 0) == 0;
        if (matches(&pattern, name) != expected)
            fail_msg("'%s' and '%s': fnmatch() says %d", text, name, expected);
        yes += expected;
        no += !expected;
    }
    assert_true(yes > 1000 && no > 1000);
    for (unsigned byte = 1; byte < 256; byte++) {
        const char *const classes[] = {"[[:alpha:]x-]", "[!a-y]", "[^[:digit:]]", "?", "[\\]^-]", "[]-a]"};
        char name[2] = {(char)byte};
        for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
            assert_int_equal(text_matches(classes[i], name), fnmatch(classes[i], name, 0) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_fifteen_bytes),
                                       cmocka_unit_test(refuses_what_matches_nothing),
                                       cmocka_unit_test(says_what_fnmatch_says)};
    return cmocka_run_group_tests_name("name_pattern", tests, NULL, NULL);
}
