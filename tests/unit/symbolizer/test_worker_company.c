// Which jobs share a worker: those about small files of one owner on one file system, some of them. Each job answers
// here with the process that did it.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/clock.h"
#include "store/base/limits.h"
#include "symbolizer/jail/sealed.h"
#include "symbolizer/worker/worker.h"

enum task { TELL, FAIL, CRASH_IF_USED, CRASH };

struct told {
    uint64_t process; // the time of its first job: the sandbox has no getpid()
    uint32_t jobs;    // that this process had done before
    uint32_t fds;     // open in it
};

static uint32_t open_fds(void)
{
    uint32_t count = 0;
    for (int fd = 0; fd < 64; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int run(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
               struct buf *ret_made)
{
    static uint32_t jobs;
    static uint64_t process;
    void *offsets;
    size_t length;
    (void)socket;
    (void)job;
    (void)helper;
    if (sealed__map(inputs->fds[1], 8, &offsets, &length) != 0)
        return -EBADMSG;
    enum task task = (enum task) * (uint64_t *)offsets;
    munmap(offsets, length);
    if (task == FAIL)
        return -EBADMSG;
    if (task == CRASH || (task == CRASH_IF_USED && jobs > 0))
        __builtin_trap();
    if (!process)
        process = clock__ns(CLOCK_MONOTONIC);
    struct told told = {.process = process, .jobs = jobs++, .fds = open_fds()};
    buf__append(ret_made, &told, sizeof(told));
    return 0;
}

static struct worker *worker;

static int start(void **state)
{
    (void)state;
    return worker__new(&(struct worker_options){.run = run}, NULL, &worker);
}

static int stop(void **state)
{
    (void)state;
    worker__free(worker);
    return 0;
}

static int do_job(int fd, enum task task, struct told *ret_told)
{
    uint64_t offset = task;
    struct naming_request request = {.fd = fd, .offsets = &offset, .count = 1, .is_quick = true};
    struct worker_usage usage;
    void *bytes = NULL;
    size_t length = 0;
    int err = worker__index(worker, &request, &usage, &bytes, &length);
    if (err)
        return err;
    assert_int_equal(length, sizeof(*ret_told));
    memcpy(ret_told, bytes, length);
    munmap(bytes, length);
    return 0;
}

static struct told tell(int fd)
{
    struct told told;
    assert_int_equal(do_job(fd, TELL, &told), 0);
    return told;
}

static int make_file(off_t bytes, uid_t owner)
{
    char path[] = "/tmp/hearth-company.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    unlink(path);
    assert_int_equal(ftruncate(fd, bytes), 0);
    if (owner != getuid())
        assert_int_equal(fchown(fd, owner, (gid_t)-1), 0);
    return fd;
}

static void is_shared_by_small_files_of_one_owner(void **state)
{
    (void)state;
    int one = make_file(100, getuid()), other = make_file(LIMIT_SMALL_FILE_BYTES, getuid());
    struct told first = tell(one), second = tell(other), third = tell(one);
    assert_int_equal(first.jobs, 0);
    assert_int_equal(second.process, first.process);
    assert_int_equal(third.process, first.process);
    assert_int_equal(third.jobs, 2);
    assert_int_equal(third.fds, second.fds); // a job leaves no descriptors
    close(one);
    close(other);
}

static void is_not_shared_with_others(void **state)
{
    (void)state;
    int small = make_file(100, getuid()), large = make_file(LIMIT_SMALL_FILE_BYTES + 1, getuid());
    int memory = memfd_create("elsewhere", MFD_CLOEXEC); // the same owner's, on another file system
    struct told first = tell(small), in_memory = tell(memory), of_large = tell(large);
    assert_int_not_equal(in_memory.process, first.process);
    assert_int_equal(in_memory.jobs, 0);
    assert_int_not_equal(of_large.process, first.process);
    assert_int_equal(tell(large).jobs, 0);                // each has a process of its own
    assert_int_equal(tell(small).process, first.process); // which is kept meanwhile
    if (getuid() == 0) {
        int foreign = make_file(100, 12345);
        assert_int_equal(tell(foreign).jobs, 0);
        close(foreign);
    }
    close(small);
    close(large);
    close(memory);
}

static void goes_after_so_many_jobs(void **state)
{
    (void)state;
    int fd = make_file(100, getuid());
    uint64_t first = tell(fd).process;
    for (unsigned i = 1; i < LIMIT_WORKER_JOBS; i++)
        assert_int_equal(tell(fd).process, first);
    assert_int_not_equal(tell(fd).process, first);
    close(fd);
}

static void ends_with_a_job_that_fails(void **state)
{
    (void)state;
    int fd = make_file(100, getuid());
    struct told told;
    uint64_t first = tell(fd).process;
    assert_int_equal(do_job(fd, FAIL, &told), -EBADMSG);
    assert_int_not_equal(tell(fd).process, first);
    assert_int_equal(do_job(fd, CRASH, &told), -ECHILD);
    assert_int_equal(tell(fd).jobs, 0);
    close(fd);
}

// An earlier file may be to blame.
static void does_a_job_alone_when_its_worker_dies(void **state)
{
    (void)state;
    int fd = make_file(100, getuid());
    struct told told;
    uint64_t first = tell(fd).process;
    assert_int_equal(do_job(fd, CRASH_IF_USED, &told), 0);
    assert_int_not_equal(told.process, first);
    assert_int_equal(told.jobs, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_shared_by_small_files_of_one_owner, start, stop),
        cmocka_unit_test_setup_teardown(is_not_shared_with_others, start, stop),
        cmocka_unit_test_setup_teardown(goes_after_so_many_jobs, start, stop),
        cmocka_unit_test_setup_teardown(ends_with_a_job_that_fails, start, stop),
        cmocka_unit_test_setup_teardown(does_a_job_alone_when_its_worker_dies, start, stop),
    };
    return cmocka_run_group_tests_name("worker_company", tests, NULL, NULL);
}
