// The opener: the files that it gives out; one that does not answer is killed, and its file system passed over.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/jail/packet.h"
#include "symbolizer/opening/file_copy.h"
#include "symbolizer/opening/opener.h"

static int end_opener(void **state)
{
    (void)state;
    opener__end();
    return 0;
}

static int ask(enum opening_kind kind, uint32_t device, const char *path, struct opened *ret_opened)
{
    struct opening opening = {.kind = kind, .device = device};
    snprintf(opening.path, sizeof(opening.path), "%s", path);
    return opener__ask(&opening, -1, ret_opened);
}

// Of our children the newest: older openers were killed, and may not be dead yet.
static pid_t find_opener(void)
{
    char path[64], comm[32] = "";
    pid_t newest = 0;
    _cleanup_file_ FILE *children = fopen("/proc/thread-self/children", "re");
    for (int pid; children && fscanf(children, "%d", &pid) == 1;)
        newest = pid;
    snprintf(path, sizeof(path), "/proc/%d/comm", newest);
    _cleanup_file_ FILE *file = fopen(path, "re");
    return file && fgets(comm, sizeof(comm), file) && strcmp(comm, "hearth-opener\n") == 0 ? newest : 0;
}

// The child of ours that is the opener, once it has its name.
static pid_t opener_pid(void)
{
    pid_t pid = 0;
    for (int i = 0; i < 6000 && !pid; i++) {
        pid = find_opener();
        usleep(pid ? 0 : 10000);
    }
    assert_int_not_equal(pid, 0);
    return pid;
}

static void gives_out_the_file_itself_where_it_is_local(void **state)
{
    _cleanup_(opened__close) struct opened opened = OPENED_NONE;
    struct stat one, other;
    (void)state;
    assert_int_equal(ask(OPENING_PATH, 0, "/proc/self/exe", &opened), 0);
    assert_int_equal(stat("/proc/self/exe", &one), 0);
    assert_int_equal(fstat(opened.place_fd, &other), 0);
    assert_true(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
    assert_int_equal(fcntl(opened.place_fd, F_GETFL) & O_PATH, O_PATH);
}

static void says_what_is_not_there(void **state)
{
    struct opened opened = OPENED_NONE;
    (void)state;
    assert_int_equal(ask(OPENING_PATH, 0, "/nowhere/at/all", &opened), -ENOENT);
    assert_int_equal(ask(OPENING_PATH, 0, "/dev/null", &opened), -EINVAL);
    assert_int_equal(ask(OPENING_PATH, 0, "/proc/version", &opened), -EINVAL);
    assert_int_equal(opened.fd, -1);
}

static void finds_the_first_name_in_a_folder(void **state)
{
    _cleanup_(opened__close) struct opened opened = OPENED_NONE;
    char folder[] = "/tmp/hearth-opener.XXXXXX", path[128], link[64], target[128] = "";
    static const char *const names[] = {"libx.so.9", "libx.so.2", "liby.so.1"};
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    }
    snprintf(path, sizeof(path), "%s/libx.so", folder);
    assert_int_equal(ask(OPENING_FIND, 0, path, &opened), 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", opened.place_fd);
    assert_true(readlink(link, target, sizeof(target) - 1) > 0);
    assert_string_equal(strrchr(target, '/'), "/libx.so.2");
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void one_that_was_killed_is_begun_again(void **state)
{
    _cleanup_(opened__close) struct opened opened = OPENED_NONE;
    (void)state;
    opener__begin();
    kill(opener_pid(), SIGKILL);
    assert_int_equal(ask(OPENING_PATH, 0, "/proc/self/exe", &opened), 0);
}

// SIGSTOP is taken when the process next runs: until then it may answer.
static void stop(pid_t pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    kill(pid, SIGSTOP);
    while (state != 'T') {
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        assert_int_not_equal(state, 'Z');
        fclose(file);
        usleep(1000);
    }
}

// A stopped opener answers as little as one that waits in the kernel.
static void one_that_does_not_answer_costs_its_file_system_alone(void **state)
{
    enum { DEVICE = 42 };
    struct opened opened = OPENED_NONE;
    char text[512] = "";
    uint64_t before = opener__unanswered();
    (void)state;
    opener__begin();
    pid_t stopped = opener_pid();
    stop(stopped);
    int64_t begun_ms = packet__now_ms();
    assert_int_equal(ask(OPENING_PATH, DEVICE, "/slow/one", &opened), -ETIMEDOUT);
    assert_true(packet__now_ms() - begun_ms >= LIMIT_OPENER_ANSWER_MS);
    assert_true(opener__tell(text, sizeof(text)));
    assert_non_null(strstr(text, "'/slow/one'"));
    assert_false(opener__tell(text, sizeof(text)));

    begun_ms = packet__now_ms();
    for (int i = 0; i < 100; i++) // its other files: at once
        assert_int_equal(ask(OPENING_PATH, DEVICE, "/slow/other", &opened), -ETIMEDOUT);
    assert_true(packet__now_ms() - begun_ms < 100 * LIMIT_OPENER_ANSWER_MS / 2);
    assert_false(opener__tell(text, sizeof(text)));
    assert_int_equal(opener__unanswered() - before, 101);

    assert_int_equal(ask(OPENING_PATH, DEVICE + 1, "/proc/self/exe", &opened), 0);
    opened__close(&opened);
    assert_int_not_equal(opener_pid(), stopped);
}

static void tell_nothing(void *context)
{
    (void)context;
}

static void a_copy_has_the_facts_of_its_file(void **state)
{
    _cleanup_fd_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = -1;
    struct stat status, told;
    struct statfs system;
    uint32_t type;
    char bytes[2][64];
    (void)state;
    assert_int_equal(file_copy__make(fd, tell_nothing, NULL, &copy), 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(fstatfs(fd, &system), 0);
    assert_int_equal(file_copy__stat(copy, &told, &type), 0);
    assert_true(told.st_ino == status.st_ino && told.st_dev == status.st_dev && told.st_size == status.st_size);
    assert_true(told.st_uid == status.st_uid && told.st_ctim.tv_sec == status.st_ctim.tv_sec &&
                told.st_ctim.tv_nsec == status.st_ctim.tv_nsec);
    assert_int_equal(type, (uint32_t)system.f_type);
    assert_true(file_copy__is(copy) && !file_copy__is(fd));
    assert_int_equal(pread(fd, bytes[0], 64, 0), 64);
    assert_int_equal(pread(copy, bytes[1], 64, 0), 64);
    assert_memory_equal(bytes[0], bytes[1], 64);
}

// Anybody can give a memfd that name; one that may still be written is no copy of the opener's.
static void a_name_alone_makes_no_copy(void **state)
{
    _cleanup_fd_ int fd = memfd_create("hearth-copy 1 2 3 4 5 0 6", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    (void)state;
    assert_false(file_copy__is(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gives_out_the_file_itself_where_it_is_local, end_opener),
        cmocka_unit_test_teardown(says_what_is_not_there, end_opener),
        cmocka_unit_test_teardown(finds_the_first_name_in_a_folder, end_opener),
        cmocka_unit_test_teardown(one_that_was_killed_is_begun_again, end_opener),
        cmocka_unit_test_teardown(one_that_does_not_answer_costs_its_file_system_alone, end_opener),
        cmocka_unit_test(a_copy_has_the_facts_of_its_file),
        cmocka_unit_test(a_name_alone_makes_no_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
