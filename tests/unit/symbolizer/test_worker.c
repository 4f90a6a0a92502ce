// Jobs and their answers: several at once, what a worker that was taken over may say, and where there can be no worker.
#include "symbolizer/worker/worker.h"

#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "tests/unit/symbolizer/taken_over.h"

static void fails_with(uint64_t misdeed, int err)
{
    struct worker_usage usage;
    assert_int_equal(do_job(misdeed, &usage), err);
    assert_int_equal(do_job(SOUND, &usage), 0);
}

static void is_believed_in_sealed_memory_only(void **state)
{
    (void)state;
    fails_with(UNSEALED, -EPERM);
    fails_with(NO_MEMORY_FILE, -EPERM);
    fails_with(NO_FILE, -EPERM);
    fails_with(WRITE_TOO_MUCH, -ECHILD); // SIGXFSZ
}

static void is_not_believed_nonsense(void **state)
{
    (void)state;
    fails_with(ASK_FOR_EVER, -E2BIG);
    fails_with(LONG_STRINGS, 0);
    fails_with(NONSENSE, -EBADMSG);
    fails_with(ODD_ERROR, -EBADMSG);
}

// The first ends only when the second has: one after the other they would never.
static void does_several_jobs_at_once(void **state)
{
    (void)state;
    struct asked first, second;
    struct worker_usage usage;
    pthread_t first_thread = begin_asked(&first, ASK_ONCE), second_thread = begin_asked(&second, ASK_ONCE);
    assert_int_equal(do_job(SOUND, &usage), 0);
    sem_post(&second.go);
    assert_int_equal(end_asked(&second, second_thread), 0);
    sem_post(&first.go);
    assert_int_equal(end_asked(&first, first_thread), 0);
}

// Slow jobs may have much memory. A quick one does not wait for them.
static void does_one_slow_job_at_a_time(void **state)
{
    (void)state;
    struct asked first, second, quick;
    pthread_t first_thread = begin(&first, ASK_ONCE, true);
    sem_wait(&first.asks);
    pthread_t second_thread = begin(&second, ASK_ONCE, true);
    pthread_t quick_thread = begin_asked(&quick, ASK_ONCE);
    sem_post(&quick.go);
    assert_int_equal(end_asked(&quick, quick_thread), 0);
    assert_int_equal(sem_trywait(&second.asks), -1);
    sem_post(&first.go);
    assert_int_equal(end_asked(&first, first_thread), 0);
    sem_post(&second.go);
    assert_int_equal(end_asked(&second, second_thread), 0);
}

static void is_cancelled(void **state)
{
    (void)state;
    struct asked asked;
    struct worker_usage usage;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    worker__cancel(worker);
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), -ECANCELED);
    assert_int_equal(do_job(SOUND, &usage), -ECANCELED);
}

// ---- Where there can be no worker.

static int refuse(int call)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    int err = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), call, 0);
    if (!err)
        err = seccomp_load(context);
    seccomp_release(context);
    return err;
}

static void says_what_is_refused(void **state)
{
    (void)state;
    static const int calls[] = {SCMP_SYS(seccomp), SCMP_SYS(capset)};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            struct fault fault = {0};
            struct worker *none;
            if (refuse(calls[i]) != 0)
                _exit(2);
            int err = worker__new(NULL, &fault, &none);
            _exit(err == -EPERM && fault.code == EXIT_CODE_LACKS && strstr(fault.text, "seccomp") ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_believed_in_sealed_memory_only, start, stop),
        cmocka_unit_test_setup_teardown(is_not_believed_nonsense, start, stop),
        cmocka_unit_test_setup_teardown(does_several_jobs_at_once, start, stop),
        cmocka_unit_test_setup_teardown(does_one_slow_job_at_a_time, start, stop),
        cmocka_unit_test_setup_teardown(is_cancelled, start, stop),
        cmocka_unit_test(says_what_is_refused),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
