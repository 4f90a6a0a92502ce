// Limits of a job (CPU time, time on the clock, memory, priority) and the CPU time of the owner of its file.
#include <errno.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/limits.h"
#include "symbolizer/worker/worker_budget.h"
#include "tests/unit/symbolizer/taken_over.h"

static int start_impatient(void **state)
{
    struct sandbox_limits impatient = limits;
    (void)state;
    impatient.wall_ms = 200;
    return start_with(&impatient);
}

static void is_stopped_at_its_cpu_time(void **state)
{
    (void)state;
    struct worker_usage usage;
    assert_int_equal(do_job(SPIN, &usage), -ETIMEDOUT);
    // The kernel counts by ticks for the limit of 1 s, and exactly for the usage: on a busy machine these lie apart.
    assert_in_range(usage.cpu_us, 500000, 3000000);
    assert_int_equal(do_job(SOUND, &usage), 0);
}

static void is_stopped_at_its_wall_time(void **state)
{
    (void)state;
    struct worker_usage usage;
    assert_int_equal(do_job(WAIT, &usage), -ETIMEDOUT);
    assert_true(usage.cpu_us < 900000);
}

#if !defined(__SANITIZE_ADDRESS__) // whose shadow takes terabytes of addresses: there is no limit on them then
static int start_as_always(void **state)
{
    (void)state;
    return start_with(&(struct sandbox_limits){0});
}

static void quick_jobs_have_less_memory(void **state)
{
    (void)state;
    struct worker_usage usage;
    uint64_t misdeed = EAT;
    struct naming_request request = {.fd = self, .offsets = &misdeed, .count = 1, .is_quick = true};
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(worker__index(worker, &request, &usage, &bytes, &length), -ENOMEM);
    assert_in_range(usage.peak_bytes, 16u << 20, LIMIT_QUICK_MEMORY_BYTES);
    assert_true(LIMIT_WORKERS_MEMORY_BYTES <= 1216ull << 20); // as limits.h says
}

static void has_so_much_memory(void **state)
{
    (void)state;
    struct worker_usage usage;
    assert_int_equal(do_job(EAT, &usage), -ENOMEM);
    assert_true(usage.peak_bytes <= limits.memory_bytes);
    assert_int_equal(do_job(SOUND, &usage), 0);
}
#endif

// Processes below the keeper that are nice 19, of SCHED_BATCH and of the idle class of I/O.
static int count_lowered(void)
{
    char path[64];
    int pid, count = 0;
    pid_t keeper = keeper_pid();
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", keeper, keeper);
    FILE *children = fopen(path, "re");
    assert_non_null(children);
    while (fscanf(children, "%d", &pid) == 1) {
        bool is_idle = IOPRIO_PRIO_CLASS(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid)) == IOPRIO_CLASS_IDLE;
        count += getpriority(PRIO_PROCESS, (id_t)pid) == 19 && sched_getscheduler(pid) == SCHED_BATCH && is_idle;
    }
    fclose(children);
    return count;
}

static void names_at_the_lowest_priority(void **state)
{
    (void)state;
    struct asked asked;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    assert_int_equal(count_lowered(), 0); // unless it is asked for
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), 0);
    worker__lower(worker);
    thread = begin_asked(&asked, ASK_ONCE);
    assert_int_equal(count_lowered(), 1);
    if (geteuid() == 0) { // others may not raise it
        worker__raise(worker);
        assert_int_equal(count_lowered(), 0);
    }
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), 0);
}

static void is_the_first_to_go_without_memory(void **state)
{
    (void)state;
    char path[64];
    int score = 0;
    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", keeper_pid()); // which its workers inherit
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &score), 1);
    fclose(file);
    assert_int_equal(score, 1000);
}

static void an_owner_has_so_much_cpu_time(void **state)
{
    (void)state;
    const uint64_t s = 1000000, root = 0, user = 1000, other = 1001;
    struct worker_budget budget;
    worker_budget__init(&budget);
    worker_budget__charge(&budget, user, false, 0, (LIMIT_OWNER_CPU_S - 1) * s, false);
    assert_int_equal(worker_budget__check(&budget, user, false, 0), 0);
    worker_budget__charge(&budget, user, false, 0, s, false);
    assert_int_equal(worker_budget__check(&budget, user, false, 0), -EDQUOT);
    assert_int_equal(worker_budget__check(&budget, user, true, 0), 0);   // rows are apart
    assert_int_equal(worker_budget__check(&budget, other, false, 0), 0); // as others are
    assert_int_equal(worker_budget__check(&budget, user, false, (LIMIT_OWNER_REST + 1) * s), 0);
    worker_budget__charge(&budget, other, false, 0, LIMIT_OWNER_CPU_S * s / LIMIT_OWNER_FAILED, true);
    assert_int_equal(worker_budget__check(&budget, other, false, 0), -EDQUOT);
    worker_budget__charge(&budget, other, false, 0, 1000 * s, true); // and no more than its debt has to come back
    assert_int_equal(worker_budget__check(&budget, other, false, LIMIT_OWNER_DEBT_S * LIMIT_OWNER_REST * s), -EDQUOT);
    assert_int_equal(worker_budget__check(&budget, other, false, (LIMIT_OWNER_DEBT_S + 1) * LIMIT_OWNER_REST * s), 0);
    worker_budget__charge(&budget, root, false, 0, LIMIT_OWNER_CPU_S * s, false);
    assert_int_equal(worker_budget__check(&budget, root, false, 0), 0);
    pthread_mutex_destroy(&budget.lock);
}

// However many owners there are (a FUSE mount each, say), together they cannot spend without end.
static void owners_beyond_the_table_share(void **state)
{
    (void)state;
    struct worker_budget budget;
    worker_budget__init(&budget);
    for (uint64_t owner = 1; owner < 2 * LIMIT_OWNERS; owner++)
        worker_budget__charge(&budget, owner, false, 0, LIMIT_OWNER_CPU_S * UINT64_C(1000000), false);
    assert_int_equal(worker_budget__check(&budget, 4 * LIMIT_OWNERS, false, 0), -EDQUOT);
    pthread_mutex_destroy(&budget.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_stopped_at_its_cpu_time, start, stop),
        cmocka_unit_test_setup_teardown(is_stopped_at_its_wall_time, start_impatient, stop),
#if !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test_setup_teardown(quick_jobs_have_less_memory, start_as_always, stop),
        cmocka_unit_test_setup_teardown(has_so_much_memory, start_patient, stop),
#endif
        cmocka_unit_test_setup_teardown(names_at_the_lowest_priority, start, stop),
        cmocka_unit_test_setup_teardown(is_the_first_to_go_without_memory, start, stop),
        cmocka_unit_test(an_owner_has_so_much_cpu_time),
        cmocka_unit_test(owners_beyond_the_table_share),
    };
    return cmocka_run_group_tests_name("worker_limits", tests, NULL, NULL);
}
