#include "collector/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"

static void run_child(char *const *argv, int go_fd, int failed_fd)
{
    char byte;
    sigset_t none;
    ssize_t got;
    do
        got = read(go_fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1) // hearth has given up, or is dead
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], argv);
    int err = errno;
    if (write(failed_fd, &err, sizeof(err)) < 0)
        _exit(126);
    _exit(127);
}

int launch__prepare(char *const *argv, struct fault *fault, struct launch *ret_launch)
{
    int go[2], failed[2];
    if (pipe2(go, O_CLOEXEC) != 0)
        return fault__set(fault, -errno, "cannot start '%s': %s", argv[0], strerror(errno));
    if (pipe2(failed, O_CLOEXEC) != 0) {
        int err = -errno;
        close(go[0]);
        close(go[1]);
        return fault__set(fault, err, "cannot start '%s': %s", argv[0], strerror(-err));
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]); // or the child would hold the end that tells it that hearth is dead
        run_child(argv, go[0], failed[1]);
    }
    int err = -errno;
    close(go[0]);
    close(failed[1]);
    *ret_launch = (struct launch){.name = argv[0], .pid = pid, .go_fd = go[1], .failed_fd = failed[0]};
    if (pid > 0)
        return 0;
    close(go[1]);
    close(failed[0]);
    return fault__set(fault, err, "cannot start '%s': %s", argv[0], strerror(-err));
}

int launch__go(struct launch *launch, struct fault *fault)
{
    int err = 0;
    ssize_t got = write(launch->go_fd, "g", 1);
    close(launch->go_fd);
    launch->go_fd = -1;
    do
        got = read(launch->failed_fd, &err, sizeof(err));
    while (got < 0 && errno == EINTR);
    close(launch->failed_fd);
    launch->failed_fd = -1;
    if (got != sizeof(err))
        return 0;
    return fault__set(fault, -err, "cannot run '%s': %s", launch->name, strerror(err));
}

int launch__end(struct launch *launch)
{
    int status = 0;
    fd__close(&launch->go_fd);
    fd__close(&launch->failed_fd);
    if (waitpid(launch->pid, &status, WNOHANG) == 0) {
        kill(launch->pid, SIGTERM);
        while (waitpid(launch->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    return status;
}
