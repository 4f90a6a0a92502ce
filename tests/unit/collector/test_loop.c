// The loop calls whom a descriptor belongs to, and never one that was removed.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/session/loop.h"

struct pipe {
    struct loop *loop;
    int ends[2];
    unsigned calls;
    struct pipe *other; // removed at the first call
    unsigned stop_at;   // calls
};

static void open_pipe(struct pipe *made, struct loop *loop)
{
    *made = (struct pipe){.loop = loop};
    assert_int_equal(pipe(made->ends), 0);
    assert_int_equal(write(made->ends[1], "x", 1), 1); // and is never read: it stays readable
}

static void close_pipe(struct pipe *pipe)
{
    close(pipe->ends[0]);
    close(pipe->ends[1]);
}

static int on_pipe(void *own, struct fault *fault)
{
    struct pipe *pipe = own;
    (void)fault;
    if (pipe->other)
        loop__remove(pipe->loop, pipe->other->ends[0]);
    if (++pipe->calls == pipe->stop_at)
        loop__stop(pipe->loop);
    return 0;
}

static void all_have_their_turn(void **state)
{
    (void)state;
    _cleanup_(loop__freep) struct loop *loop = NULL;
    struct fault fault = {0};
    struct pipe pipes[3];
    assert_int_equal(loop__new(&loop), 0);
    for (size_t i = 0; i < 3; i++) {
        open_pipe(&pipes[i], loop);
        assert_int_equal(loop__add(loop, pipes[i].ends[0], on_pipe, &pipes[i]), 0);
    }
    pipes[1].stop_at = 10;
    assert_int_equal(loop__run(loop, &fault), 0);
    for (size_t i = 0; i < 3; i++)
        assert_in_range(pipes[i].calls, 9, 10);
    for (size_t i = 0; i < 3; i++)
        close_pipe(&pipes[i]);
}

// Both were readable when the first of them removed the other.
static void who_is_removed_is_not_called(void **state)
{
    (void)state;
    _cleanup_(loop__freep) struct loop *loop = NULL;
    struct fault fault = {0};
    struct pipe first, second;
    assert_int_equal(loop__new(&loop), 0);
    open_pipe(&first, loop);
    open_pipe(&second, loop);
    first.other = &second;
    second.other = &first;
    first.stop_at = second.stop_at = 5;
    assert_int_equal(loop__add(loop, first.ends[0], on_pipe, &first), 0);
    assert_int_equal(loop__add(loop, second.ends[0], on_pipe, &second), 0);
    assert_int_equal(loop__run(loop, &fault), 0);
    assert_int_equal(first.calls + second.calls, 5);
    close_pipe(&first);
    close_pipe(&second);
}

// As a CPU's ring that was closed and opened again.
static void a_number_may_come_again(void **state)
{
    (void)state;
    _cleanup_(loop__freep) struct loop *loop = NULL;
    struct fault fault = {0};
    struct pipe old, new;
    assert_int_equal(loop__new(&loop), 0);
    open_pipe(&old, loop);
    assert_int_equal(loop__add(loop, old.ends[0], on_pipe, &old), 0);
    int number = old.ends[0];
    close_pipe(&old);
    open_pipe(&new, loop);
    assert_int_equal(new.ends[0], number);
    new.stop_at = 1;
    assert_int_equal(loop__add(loop, number, on_pipe, &new), 0);
    assert_int_equal(loop__run(loop, &fault), 0);
    assert_int_equal(old.calls, 0);
    assert_int_equal(new.calls, 1);
    close_pipe(&new);
}

struct ticks {
    struct loop *loop;
    unsigned count, end;
    int err;
};

static int on_tick(void *own, struct fault *fault)
{
    struct ticks *ticks = own;
    (void)fault;
    if (++ticks->count == ticks->end)
        loop__stop(ticks->loop);
    return ticks->err;
}

static void timers_come_once_or_again(void **state)
{
    (void)state;
    _cleanup_(loop__freep) struct loop *loop = NULL;
    struct fault fault = {0};
    assert_int_equal(loop__new(&loop), 0);
    struct ticks once = {.loop = loop}, again = {.loop = loop, .end = 4};
    assert_int_equal(loop__add_timer(loop, 1, false, on_tick, &once), 0);
    assert_int_equal(loop__add_timer(loop, 2000000, true, on_tick, &again), 0);
    assert_int_equal(loop__run(loop, &fault), 0);
    assert_int_equal(once.count, 1);
    assert_int_equal(again.count, 4);
}

static void an_error_ends_it(void **state)
{
    (void)state;
    _cleanup_(loop__freep) struct loop *loop = NULL;
    struct fault fault = {0};
    struct ticks failing = {.err = -EIO};
    assert_int_equal(loop__new(&loop), 0);
    assert_int_equal(loop__add_timer(loop, 1, true, on_tick, &failing), 0);
    assert_int_equal(loop__run(loop, &fault), -EIO);
    assert_int_equal(failing.count, 1);
    assert_false(loop__is_stopped(loop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_have_their_turn),     cmocka_unit_test(who_is_removed_is_not_called),
        cmocka_unit_test(a_number_may_come_again), cmocka_unit_test(timers_come_once_or_again),
        cmocka_unit_test(an_error_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
