// One table of options fills any number of structs, and a table inside another one fills the struct inside.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collector/session/record_words.h"

#define COUNT(words) ((int)(sizeof(words) / sizeof((words)[0])))

static int parse(struct record_words *words, int argc, char **argv, struct fault *fault)
{
    int operands = -1;
    int err = options__parse(record_word_rows, words, true, argc, argv, fault, &operands);
    assert_int_equal(operands, err ? -1 : 0);
    return err;
}

static void two_sets_do_not_meet(void **state)
{
    (void)state;
    struct record_words first = RECORD_WORDS_DEFAULTS, second = RECORD_WORDS_DEFAULTS;
    char *of_first[] = {"-e", "cpu", "-e", "off-cpu", "-F99", "-p", "12", "--by=comm", "--unwind", "fp", "--comm", "a"};
    char *of_second[] = {"--wall", "--hist", "runq", "-c", "1000", "--tid=7", "-uG", "-d", "500ms"};
    struct fault fault = {0};
    assert_int_equal(parse(&first, COUNT(of_first), of_first, &fault), 0);
    struct record_words kept = first;
    assert_int_equal(parse(&second, COUNT(of_second), of_second, &fault), 0);
    assert_memory_equal(&first, &kept, sizeof(first));

    assert_int_equal(first.events.count, 2);
    assert_string_equal(first.events.values[1], "off-cpu");
    assert_int_equal(first.frequency_hz, 99);
    assert_string_equal(first.target.pids, "12");
    assert_string_equal(first.target.comm, "a");
    assert_string_equal(first.hist_words.by, "comm");
    assert_int_equal(first.unwind, WIRE_UNWIND_FP);
    assert_false(first.threads);
    assert_string_equal(first.output, "hearth.db");

    assert_int_equal(second.events.count, 1);
    assert_string_equal(second.events.values[0], "wall");
    assert_true(second.threads);
    assert_string_equal(second.hists.values[0], "runq");
    assert_int_equal(second.period, 1000);
    assert_int_equal(second.frequency_hz, 0);
    assert_string_equal(second.target.tids, "7");
    assert_string_equal(second.target.uid, "G");
    assert_null(second.target.pids);
    assert_int_equal(second.duration_ns, 500000000);

    options__release(record_word_rows, &first);
    assert_int_equal(first.events.count, 0);
    assert_int_equal(second.events.count, 1);
    options__release(record_word_rows, &second);
}

// A bad word leaves its fault with the set it was meant for, and what stood before it.
static void a_refused_set_leaves_the_other(void **state)
{
    (void)state;
    struct record_words running = RECORD_WORDS_DEFAULTS, next = RECORD_WORDS_DEFAULTS;
    char *good[] = {"-F", "19"}, *bad[] = {"-F", "49", "--comn", "x"};
    struct fault fault = {0};
    assert_int_equal(parse(&running, COUNT(good), good, &fault), 0);
    assert_int_equal(parse(&next, COUNT(bad), bad, &fault), -EINVAL);
    assert_string_equal(fault.text, "unknown option '--comn'; did you mean '--comm'?");
    assert_int_equal(running.frequency_hz, 19);
    assert_int_equal(next.frequency_hz, 49);
}

static bool count_pid(const struct option_row *row, size_t offset, void *context)
{
    size_t *offsets = context;
    if (row->name && strcmp(row->name, "pid") == 0)
        *offsets = *offsets ? SIZE_MAX : offset;
    return false;
}

static void options_of_a_part_are_found_where_it_lies(void **state)
{
    (void)state;
    size_t offset = 0;
    assert_false(options__visit(record_word_rows, count_pid, &offset));
    assert_int_equal(offset, offsetof(struct record_words, target.pids));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sets_do_not_meet),
        cmocka_unit_test(a_refused_set_leaves_the_other),
        cmocka_unit_test(options_of_a_part_are_found_where_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
