// Two threads make the same index as one: of this program's own debug information, as it stands and packed.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/index/index.h"
#include "symbolizer/jail/helper.h"
#include "symbolizer/worker/naming_job.h"

extern char **environ;

static int open_none(void *context, const struct companion *companion, int *ret_fd)
{
    (void)context;
    (void)companion;
    (void)ret_fd;
    return -ENOENT;
}

static void name(const char *path, struct helper *helper, struct buf *made, struct index *ret_index)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct naming_request request = {.fd = fd, .complete = true, .helper = helper, .companions.open = open_none};
    assert_true(fd >= 0);
    assert_int_equal(naming_job__run(&request, made), 0);
    assert_int_equal(index__check(made->data, made->length_bytes, INDEX_CHECKSUM, ret_index), 0);
    close(fd);
}

static void assert_same(const struct index *left, const struct index *right)
{
    const struct index_segment *code = &left->segments[0];
    size_t named = 0, inlined = 0;
    for (uint64_t at = code->file_offset; at < code->file_offset + code->bytes; at++) {
        struct index_frame a[LIMIT_CHAIN], b[LIMIT_CHAIN];
        size_t a_length, b_length;
        assert_int_equal(index__find(left, at, false, a, &a_length), index__find(right, at, false, b, &b_length));
        assert_int_equal(a_length, b_length);
        named += a_length > 0 && a[0].line > 0;
        inlined += a_length > 1;
        for (size_t i = 0; i < a_length; i++) {
            assert_string_equal(left->strings + a[i].function, right->strings + b[i].function);
            assert_string_equal(left->strings + a[i].file, right->strings + b[i].file);
            assert_int_equal(a[i].line, b[i].line);
        }
    }
    assert_true(named > 1000); // it did have debug information, and inlined functions
    assert_true(inlined > 100);
}

static void compare(const char *path)
{
    struct helper *helper;
    struct buf one = {0}, two = {0};
    struct index by_one, by_two;
    assert_int_equal(helper__new(0, &helper), 0);
    name(path, NULL, &one, &by_one);
    name(path, helper, &two, &by_two);
    assert_same(&by_one, &by_two);
    buf__release(&one);
    buf__release(&two);
}

static void two_threads_make_what_one_makes(void **state)
{
    (void)state;
    compare("/proc/self/exe");
}

static void also_of_packed_sections(void **state)
{
    (void)state;
    char path[] = "/tmp/hearth_test_naming_job.XXXXXX", own[64];
    int fd = mkstemp(path), status;
    pid_t pid;
    assert_true(fd >= 0);
    close(fd);
    snprintf(own, sizeof(own), "/proc/%d/exe", (int)getpid());
    char *const words[] = {"objcopy", "--compress-debug-sections=zlib", own, path, NULL};
    int err = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);
    if (err) {
        unlink(path);
        skip(); // no binutils
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    compare(path);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_make_what_one_makes),
        cmocka_unit_test(also_of_packed_sections),
    };
    return cmocka_run_group_tests_name("naming_job", tests, NULL, NULL);
}
