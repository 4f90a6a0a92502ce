// Workers and keepers that crash, are killed or are stopped: the job fails or is done again, and the next job is done.
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/symbolizer/taken_over.h"

static void may_crash(void **state)
{
    (void)state;
    struct worker_usage usage;
    int err = do_job(CRASH, &usage);
    assert_true(err == -ECHILD || (IS_SANITIZED && err != 0)); // ASan exits with words
    assert_int_equal(do_job(SOUND, &usage), 0);
}

// All processes below one, with its pid first.
static void kill_workers(pid_t keeper)
{
    char path[64];
    int pid;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", keeper, keeper);
    FILE *children = fopen(path, "re");
    while (children && fscanf(children, "%d", &pid) == 1) {
        struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
        kill(pid, SIGKILL);
        poll(&gone, 1, -1);
        close(gone.fd);
    }
    if (children)
        fclose(children);
}

static void may_be_killed_by_others(void **state)
{
    (void)state;
    struct asked asked;
    struct worker_usage usage;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    kill_workers(keeper_pid()); // and the one that waits for the next job
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), -ECHILD);
    assert_int_equal(do_job(SOUND, &usage), 0);
}

// The killed keeper is no fault of the binary's: its job is tried again.
static void outlives_its_keeper(void **state)
{
    (void)state;
    struct asked asked;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    kill(keeper_pid(), SIGKILL);
    sem_post(&asked.go);
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), 0);
}

static void rows_outlive_their_keeper(void **state)
{
    (void)state;
    struct worker_rows *rows;
    struct unwind_table *table = NULL;
    kill(keeper_pid(), SIGSTOP); // the job waits in its socket
    assert_int_equal(worker_rows__begin(worker, self, &rows), 0);
    kill(keeper_pid(), SIGKILL);
    assert_int_equal(worker_rows__end(rows, &table), 0);
    assert_true(table->word_count > 0);
    unwind_table__free(table);
}

static void does_without_a_stopped_keeper(void **state)
{
    (void)state;
    struct worker_usage usage;
    int64_t start_ms = packet__now_ms();
    kill(keeper_pid(), SIGSTOP);
    assert_int_equal(do_job(SOUND, &usage), 0);
    assert_true(packet__now_ms() - start_ms < limits.wall_ms / 2); // long before the job's time is up
    kill(keeper_pid(), SIGSTOP);                                   // and is stopped, with the end of this test
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(may_crash, start, stop),
        cmocka_unit_test_setup_teardown(may_be_killed_by_others, start, stop),
        cmocka_unit_test_setup_teardown(outlives_its_keeper, start, stop),
        cmocka_unit_test_setup_teardown(rows_outlive_their_keeper, start, stop),
        cmocka_unit_test_setup_teardown(does_without_a_stopped_keeper, start, stop),
    };
    return cmocka_run_group_tests_name("worker_deaths", tests, NULL, NULL);
}
