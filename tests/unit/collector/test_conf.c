// The daemon's file: what fills the options, and what is refused, with its line and the reason.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/daemon/conf.h"
#include "collector/session/record_words.h"

static struct conf conf;

static int parse(struct record_words *words, const char *text, struct fault *fault)
{
    conf__release(&conf); // the words borrow from it
    buf__append(&conf.text, text, strlen(text) + 1);
    return conf__parse(&conf, "h.conf", record_word_rows, words, fault);
}

static void fills_the_options(void **state)
{
    (void)state;
    struct record_words words = RECORD_WORDS_DEFAULTS;
    struct fault fault = {0};
    assert_int_equal(parse(&words,
                           "# a comment\n\n  event=cpu\nevent = uprobe:/usr/bin/a b:f # no comment\r\n"
                           "\thist\t= runq\nfreq = 49\nno-inline = yes\nthreads = no\ninterval = 500ms",
                           &fault),
                     0);
    assert_int_equal(words.events.count, 2);
    assert_string_equal(words.events.values[0], "cpu");
    assert_string_equal(words.events.values[1], "uprobe:/usr/bin/a b:f # no comment");
    assert_string_equal(words.hists.values[0], "runq");
    assert_int_equal(conf__line(&conf, words.events.values[1]), 4);
    assert_int_equal(conf__line(&conf, words.hists.values[0]), 5);
    assert_int_equal(conf__line(&conf, "runq"), 0);
    assert_int_equal(words.frequency_hz, 49);
    assert_int_equal(words.drain_ns, 500000000);
    assert_false(words.inlined);
    assert_false(words.threads);
    options__release(record_word_rows, &words);
}

static void refuses_a_bad_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"evnt = cpu", "h.conf:1: unknown key 'evnt'; did you mean 'event'?"},
        {"\n\nzzzzzzzz = 1", "h.conf:3: unknown key 'zzzzzzzz'"},
        {"event cpu\n", "h.conf:1: 'event cpu' is not KEY = VALUE"},
        {"event =  ", "h.conf:1: event has no value"},
        {"# x\nfreq = fast\n", "h.conf:2: bad value for freq: 'fast' is not a whole number above 0"},
        {"threads = 1", "h.conf:1: bad value for threads: '1' is neither yes nor no"},
        {"= 1", "h.conf:1: unknown key ''"},
        {"F = 99", "h.conf:1: unknown key 'F'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_words words = RECORD_WORDS_DEFAULTS;
        struct fault fault = {0};
        assert_int_equal(parse(&words, cases[i].text, &fault), -EINVAL);
        assert_string_equal(fault.text, cases[i].said);
        assert_int_equal(fault.code, EXIT_CODE_USAGE);
        options__release(record_word_rows, &words);
    }
}

static int read_file(const char *bytes, size_t length, mode_t mode, struct fault *fault)
{
    char path[] = "/tmp/hearth-conf.XXXXXX";
    int fd = mkstemp(path);
    struct record_words words = RECORD_WORDS_DEFAULTS;
    struct conf file = {0};
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    int err = conf__read(&file, path, record_word_rows, &words, fault);
    if (!err)
        assert_int_equal(words.frequency_hz, 49);
    options__release(record_word_rows, &words);
    conf__release(&file);
    unlink(path);
    return err;
}

static void reads_a_file_that_only_its_owner_writes(void **state)
{
    (void)state;
    struct fault fault = {0};
    char *large = calloc(1, 300 * 1024);
    memset(large, '#', 300 * 1024);
    assert_int_equal(read_file("freq = 49\n", 10, 0644, &fault), 0);
    assert_int_equal(read_file("freq = 49\n", 10, 0664, &fault), -EPERM);
    assert_int_equal(read_file("freq = 49\n", 10, 0602, &fault), -EPERM);
    assert_int_equal(read_file("freq = 49\0x\n", 12, 0644, &fault), -EINVAL);
    assert_int_equal(read_file(large, 300 * 1024, 0644, &fault), -E2BIG);
    free(large);

    struct record_words words = RECORD_WORDS_DEFAULTS;
    struct conf file = {0};
    assert_int_equal(conf__read(&file, "/nowhere/h.conf", record_word_rows, &words, &fault), -ENOENT);
    assert_string_equal(fault.text, "cannot read '/nowhere/h.conf': No such file or directory");
    assert_int_equal(conf__read(&file, "/tmp", record_word_rows, &words, &fault), -EINVAL);
    conf__release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_the_options),
        cmocka_unit_test(refuses_a_bad_line),
        cmocka_unit_test(reads_a_file_that_only_its_owner_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
