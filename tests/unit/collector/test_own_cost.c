// The cost of hearth's processes: of this one, of its children while they live and when they have ended, and of the
// bytes that this thread writes.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/session/own_cost.h"

enum { BURN_MS = 200 };

static uint64_t cpu_ns(pid_t command)
{
    struct own_cost cost;
    own_cost__read(NULL, (struct own_cost_others){.command = command}, &cost);
    return cost.cpu_ns;
}

// A child that has used so much CPU time, and waits for its end.
static pid_t start_burnt_child(void)
{
    int fds[2];
    char byte;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        struct timespec used = {0};
        while (used.tv_sec == 0 && used.tv_nsec < BURN_MS * 1000000L)
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        _exit(write(fds[1], "x", 1) == 1 && pause() ? 1 : 0);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    close(fds[1]);
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void children_are_part_of_it(void **state)
{
    (void)state;
    uint64_t before = cpu_ns(0);
    pid_t child = start_burnt_child();
    assert_true(cpu_ns(0) - before >= (BURN_MS - 20) * 1000000ull); // its clock has ticks of 10 ms
    assert_true(cpu_ns(child) - before < BURN_MS * 1000000ull / 2);
    end(child);
    assert_true(cpu_ns(0) - before >= BURN_MS * 1000000ull);
}

static uint64_t cpu_ns_but_starter(pid_t starter)
{
    struct own_cost cost;
    own_cost__read(NULL, (struct own_cost_others){.starter = starter}, &cost);
    return cost.cpu_ns;
}

// A child that has a burnt child, waits for byte after byte, and ends its own at the first.
static pid_t start_parent(int *ret_ends)
{
    int told[2], ends[2];
    char byte;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t burnt = start_burnt_child();
        if (write(told[1], "x", 1) == 1 && read(ends[0], &byte, 1) == 1)
            end(burnt);
        _exit(write(told[1], "x", 1) == 1 && pause() ? 1 : 0);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    close(told[1]);
    close(ends[0]);
    ret_ends[0] = told[0];
    ret_ends[1] = ends[1];
    return child;
}

static void what_children_start_is_part_of_it_but_of_the_starter(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    const uint64_t before = cpu_ns(0), least = (BURN_MS - 30) * 1000000ull;
    pid_t child = start_parent(ends);
    assert_true(cpu_ns(0) - before >= least);
    assert_true(cpu_ns_but_starter(child) - before < BURN_MS * 1000000ull / 2);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_true(cpu_ns(0) - before >= least); // by what the child has waited for
    assert_true(cpu_ns_but_starter(child) - before < BURN_MS * 1000000ull / 2);
    end(child);
    close(ends[0]);
    close(ends[1]);
}

static void memory_of_children_is_part_of_it(void **state)
{
    (void)state;
    struct own_cost with, without;
    pid_t child = start_burnt_child();
    own_cost__read(NULL, (struct own_cost_others){0}, &with);
    own_cost__read(NULL, (struct own_cost_others){.command = child}, &without);
    end(child);
    assert_true(without.rss_bytes > 0);
    assert_true(with.rss_bytes > without.rss_bytes);
}

static void bytes_written_are_counted(void **state)
{
    (void)state;
    static const char block[100000];
    FILE *file = tmpfile();
    assert_non_null(file);
    uint64_t before = own_cost__written_bytes();
    if (!before && access("/proc/thread-self/io", R_OK) != 0)
        skip();
    fwrite(block, sizeof(block), 1, file);
    fflush(file);
    assert_true(own_cost__written_bytes() - before >= sizeof(block));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_are_part_of_it),
        cmocka_unit_test(what_children_start_is_part_of_it_but_of_the_starter),
        cmocka_unit_test(memory_of_children_is_part_of_it),
        cmocka_unit_test(bytes_written_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
