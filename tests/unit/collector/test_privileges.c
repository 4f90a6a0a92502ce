// The daemon gives up capabilities, execve() and calls that it never makes. Each test is a process of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/daemon/privileges.h"

static const cap_value_t kept[] = {
#define CAPABILITY(name, reason) name,
#include "collector/daemon/privileges.def"
#undef CAPABILITY
};

// The line of the first check that failed, of a process that runs them all; 0: none.
static int run_apart(int (*checks)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(checks());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

// An exit code has 8 bits: numbers, not lines.
#define CHECK(number, condition)                                                                                       \
    if (!(condition))                                                                                                  \
    return number

static bool is_kept(cap_value_t capability)
{
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (kept[i] == capability)
            return true;
    return false;
}

static cap_flag_value_t flag(cap_value_t capability, cap_flag_t which)
{
    cap_flag_value_t value = CAP_SET;
    cap_t caps = cap_get_proc();
    cap_get_flag(caps, capability, which, &value);
    cap_free(caps);
    return value;
}

static bool has_before[CAP_LAST_CAP + 1];

static int keeps_those_it_had_of_the_list(void)
{
    for (cap_value_t i = 0; i <= CAP_LAST_CAP; i++)
        has_before[i] = flag(i, CAP_EFFECTIVE) == CAP_SET;
    bool can_drop = has_before[CAP_SETPCAP];
    CHECK(1, privileges__keep_needed(NULL) == 0);
    for (cap_value_t i = 0; i <= CAP_LAST_CAP; i++) {
        cap_flag_value_t wanted = is_kept(i) && has_before[i] ? CAP_SET : CAP_CLEAR;
        CHECK(2, flag(i, CAP_EFFECTIVE) == wanted);
        CHECK(3, flag(i, CAP_PERMITTED) == wanted || (is_kept(i) && !has_before[i]));
        CHECK(4, flag(i, CAP_INHERITABLE) == CAP_CLEAR);
        CHECK(5, !can_drop || is_kept(i) || cap_get_bound(i) != CAP_SET);
    }
    CHECK(6, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    return 0;
}

static int runs_no_program(void)
{
    char *const argv[] = {"true", NULL};
    CHECK(1, privileges__keep_needed(NULL) == 0);
    CHECK(2, privileges__filter_calls(NULL) == 0);
    CHECK(3, execv("/bin/true", argv) == -1 && errno == EPERM);
    pid_t pid = fork(); // one that is forked neither
    if (pid == 0) {
        execv("/bin/true", argv);
        _exit(errno == EPERM ? 42 : 1);
    }
    int status = 0;
    CHECK(4, waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
    return 0;
}

// Without the filter, root may make some of them, and the others fail for another reason.
static int makes_no_call_that_is_denied(void)
{
    CHECK(1, privileges__keep_needed(NULL) == 0);
    CHECK(2, privileges__filter_calls(NULL) == 0);
    CHECK(3, mount("none", "/nowhere", "nothing", 0, NULL) == -1 && errno == EPERM);
    CHECK(4, umount2("/nowhere", 0) == -1 && errno == EPERM);
    CHECK(5, setns(-1, 0) == -1 && errno == EPERM);
    CHECK(6, unshare(0) == -1 && errno == EPERM);
    CHECK(7, syscall(SYS_finit_module, -1, "", 0) == -1 && errno == EPERM);
    CHECK(8, syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == EPERM);
    CHECK(9, socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
    CHECK(10, socket(AF_INET6, SOCK_STREAM, 0) == -1 && errno == EPERM);
    return 0;
}

// Events, helpers and their own filters.
static int makes_the_calls_it_needs(void)
{
    struct perf_event_attr attribute = {.size = sizeof(attribute), .type = 1000000};
    CHECK(1, privileges__keep_needed(NULL) == 0);
    CHECK(2, privileges__filter_calls(NULL) == 0);
    CHECK(3, socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0);
    CHECK(4, syscall(SYS_perf_event_open, &attribute, 0, -1, -1, 0) == -1 && errno != EPERM);
    CHECK(5, syscall(SYS_bpf, 1000000, NULL, 0) == -1 && (errno == EINVAL || errno == E2BIG || geteuid() != 0));
    CHECK(6, geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
    return 0;
}

static void capabilities_of_the_list_stay(void **state)
{
    (void)state;
    assert_int_equal(run_apart(keeps_those_it_had_of_the_list), 0);
}

static void no_program_is_run(void **state)
{
    (void)state;
    assert_int_equal(run_apart(runs_no_program), 0);
}

static void calls_that_it_never_makes_fail(void **state)
{
    (void)state;
    assert_int_equal(run_apart(makes_no_call_that_is_denied), 0);
}

static void calls_that_it_makes_do_not(void **state)
{
    (void)state;
    assert_int_equal(run_apart(makes_the_calls_it_needs), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capabilities_of_the_list_stay),
        cmocka_unit_test(no_program_is_run),
        cmocka_unit_test(calls_that_it_never_makes_fail),
        cmocka_unit_test(calls_that_it_makes_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
