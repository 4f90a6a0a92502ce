#include "collector/session/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/opening/foreign_file.h"

static void be_silent(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int of = STDIN_FILENO; of <= STDERR_FILENO; of++)
        if (fd < 0 || dup2(fd, of) < 0)
            close(of);
}

static void run_child(char *const *argv, bool is_silent, int go_fd, int failed_fd)
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
    signal(SIGXFSZ, SIG_DFL);
    if (is_silent)
        be_silent();
    execvp(argv[0], argv);
    int err = errno;
    if (write(failed_fd, &err, sizeof(err)) < 0)
        _exit(126);
    _exit(127);
}

static bool is_executable(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (status.st_mode & 0111);
}

// The program as execvp() will find it; -1: it will not.
static int open_program(const char *name)
{
    int fd;
    char path[PATH_MAX];
    const char *folders = getenv("PATH");
    if (strchr(name, '/'))
        return foreign_file__open_itself(-1, name, &fd) == 0 ? fd : -1;
    while (folders) {
        int length = (int)strcspn(folders, ":");
        snprintf(path, sizeof(path), "%.*s/%s", length, folders, name);
        int err = foreign_file__open_itself(-1, path, &fd);
        if (err == -EXDEV) // this may be the one, on a file system that may wait
            return -1;
        if (!err && is_executable(fd))
            return fd;
        if (!err)
            close(fd);
        folders = folders[length] ? folders + length + 1 : NULL;
    }
    return -1;
}

// Maps a page of the program, for the child to have while it waits: what is mapped when the recording begins has its
// unwind rows before the first sample.
static void *map_program(const char *name)
{
    _cleanup_fd_ int fd = open_program(name);
    return fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
}

int launch__prepare(char *const *argv, bool is_silent, struct fault *fault, struct launch *ret_launch)
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
    void *program = map_program(argv[0]);
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]); // or the child would hold the end that tells it that hearth is dead
        run_child(argv, is_silent, go[0], failed[1]);
    }
    int err = -errno;
    if (program != MAP_FAILED)
        munmap(program, 1);
    close(go[0]);
    close(failed[1]);
    *ret_launch = (struct launch){.name = argv[0], .pid = pid, .go_fd = go[1], .failed_fd = failed[0]};
    if (pid > 0)
        return 0;
    close(go[1]);
    close(failed[0]);
    return fault__set(fault, err, "cannot start '%s': %s", argv[0], strerror(-err));
}

// execvp() may wait for a file system that does not answer. The recording goes on then, and ends at its signal or time.
static bool wait_for_exec(int failed_fd, int interrupt_fd)
{
    struct pollfd ends[] = {{.fd = failed_fd, .events = POLLIN}, {.fd = interrupt_fd, .events = POLLIN}};
    int count;
    do
        count = poll(ends, 2, LIMIT_COMMAND_BEGIN_MS);
    while (count < 0 && errno == EINTR);
    return ends[0].revents != 0;
}

// Waits for what the child writes when exec fails; 0 where exec succeeds.
static int read_exec_error(struct launch *launch)
{
    int err = 0;
    ssize_t got;
    do
        got = read(launch->failed_fd, &err, sizeof(err));
    while (got < 0 && errno == EINTR);
    fd__close(&launch->failed_fd);
    launch->failed_fd = -1;
    return got == sizeof(err) ? -err : 0;
}

int launch__go(struct launch *launch, int interrupt_fd, struct fault *fault)
{
    // The child that is gone tells nobody; its end is seen as that of any command.
    ssize_t told = write(launch->go_fd, "g", 1);
    (void)told;
    close(launch->go_fd);
    launch->go_fd = -1;
    int err = wait_for_exec(launch->failed_fd, interrupt_fd) ? read_exec_error(launch) : 0;
    return err ? fault__set(fault, err, "cannot run '%s': %s", launch->name, strerror(-err)) : 0;
}

// Waits until the process has exited or something can be read from interrupt_fd; the kernel's poll() passes over -1.
static void wait_for_exit(pid_t pid, int interrupt_fd)
{
    _cleanup_fd_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ends[] = {{.fd = pidfd, .events = POLLIN}, {.fd = interrupt_fd, .events = POLLIN}};
    int count;
    do
        count = poll(ends, 2, LIMIT_COMMAND_END_MS);
    while (count < 0 && errno == EINTR);
}

int launch__end(struct launch *launch, int interrupt_fd, int *ret_status)
{
    int status = 0;
    fd__close(&launch->go_fd);
    pid_t reaped = waitpid(launch->pid, &status, WNOHANG);
    if (reaped == 0) {
        kill(launch->pid, SIGTERM);
        wait_for_exit(launch->pid, interrupt_fd);
        reaped = waitpid(launch->pid, &status, WNOHANG);
    }
    if (reaped == 0)
        return -ETIMEDOUT;
    if (launch->failed_fd >= 0)
        launch->exec_error = read_exec_error(launch);
    *ret_status = status;
    return 0;
}
