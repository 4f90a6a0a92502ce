// A worker in its sandbox can read its input and answer, and nothing else.
#include "symbolizer/jail/sandbox.h"

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
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/limits.h"

// The failed step, as the exit code of the child; 0: all is as it must be.
static int refuses_everything(int inherited)
{
    int socket_fd, other = dup(1);
    if (sandbox__shed(inherited, &socket_fd) != 0)
        return 1;
    if (fcntl(other, F_GETFD) != -1 || fcntl(socket_fd, F_GETFD) == -1)
        return 2; // what was not to be kept is closed
    if (getuid() == 0 || geteuid() == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 3;
    int given = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    static const struct sandbox_limits limits = {LIMIT_WORKER_MEMORY_BYTES, 1 << 20, 2, 1000};
    if (sandbox__enter(&limits) != 0)
        return 4;
    if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM)
        return 5;
    if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 || errno != EPERM)
        return 6;
    if (fork() >= 0 || kill(getppid(), 0) == 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
        return 7;
    char byte;
    if (given >= 0 && pread(given, &byte, 1, 1) != 1)
        return 8;
    if (write(socket_fd, "x", 1) != 1)
        return 9;
    void *memory = malloc(100u << 20);
    if (!memory)
        return 10;
    memset(memory, 1, 100u << 20);
#if !defined(__SANITIZE_ADDRESS__)
    void *too_much = malloc(LIMIT_WORKER_MEMORY_BYTES);
    if (too_much)
        return 11;
#endif
    return 0;
}

static void a_worker_can_only_read_and_answer(void **state)
{
    (void)state;
    int pair[2], status;
    char byte = 0;
    if (geteuid() != 0)
        skip(); // an ordinary user has no privilege to lose; uid 0 is what is tested
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(refuses_everything(pair[1]));
    close(pair[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(read(pair[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(pair[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_worker_can_only_read_and_answer)};
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
