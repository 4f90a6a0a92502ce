#include "collector/daemon/helper_process.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"

static void close_others(int fd)
{
    if (fd > 3)
        syscall(SYS_close_range, 3u, (unsigned)fd - 1, 0u);
    syscall(SYS_close_range, (unsigned)fd + 1, ~0u, 0u);
}

static void run(const char *name, helper_process_fn *serve, int fd, void *context, pid_t daemon)
{
    signal(SIGHUP, SIG_IGN); // a terminal or systemd means the daemon by it
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, name);
    close_others(fd);
    if (getppid() == daemon)
        serve(fd, context);
    _exit(0);
}

int helper_process__start(const char *name, helper_process_fn *serve, void *context, struct helper_process *ret_process)
{
    int fds[2];
    pid_t daemon = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return -errno;
    pid_t pid = fork();
    int err = pid < 0 ? -errno : 0;
    if (pid == 0)
        run(name, serve, fds[1], context, daemon);
    close(fds[1]);
    if (err)
        close(fds[0]);
    else
        *ret_process = (struct helper_process){.pid = pid, .fd = fds[0]};
    return err;
}

void helper_process__kill(struct helper_process *process)
{
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    fd__close(&process->fd);
    *process = (struct helper_process){.pid = -1, .fd = -1};
}
