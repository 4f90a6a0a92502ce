// Runs a command under a PID of one's choice, as soon as nobody has that PID any more: a process takes the place of
// another one. `with_pid PID COMMAND [ARG...]`; takes root. Exits with the command's code; 3 where the kernel does not
// let it choose.
#include <errno.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

static pid_t fork_as(pid_t pid)
{
    struct clone_args args = {.exit_signal = 17, .set_tid = (uintptr_t)&pid, .set_tid_size = 1}; // SIGCHLD
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    pid_t pid;
    while ((pid = fork_as(atoi(argv[1]))) < 0 && errno == EEXIST)
        usleep(1000);
    if (pid < 0)
        return 3;
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
