#include "collector/daemon/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/daemon/side_words.h"
#include "collector/session/loop.h"

struct child {
    struct starter *starter;
    pid_t pid; // 0: this place is free
    int pidfd; // readable when it has exited
    int said_fd;
    size_t said_bytes;
    struct starter_report report;
};

struct starter {
    const char *directory;
    int fd;
    struct loop *loop;
    struct child children[LIMIT_SIDE_AT_ONCE];
    bool is_left; // by the daemon
};

// Keeps the last lines.
static void keep_said(struct child *child, const char *text, size_t bytes)
{
    char *said = child->report.said;
    size_t room = sizeof(child->report.said) - 1;
    if (bytes > room) {
        text += bytes - room;
        bytes = room;
    }
    if (child->said_bytes + bytes > room) {
        size_t gone = child->said_bytes + bytes - room;
        memmove(said, said + gone, child->said_bytes - gone);
        child->said_bytes -= gone;
    }
    memcpy(said + child->said_bytes, text, bytes);
    child->said_bytes += bytes;
    said[child->said_bytes] = '\0';
}

// Whether there may be more.
static bool read_said(struct child *child)
{
    char text[1024];
    ssize_t got = read(child->said_fd, text, sizeof(text));
    if (got > 0)
        keep_said(child, text, (size_t)got);
    else if (got == 0 || errno != EAGAIN)
        loop__remove(child->starter->loop, child->said_fd);
    return got > 0;
}

static int on_said(void *own, struct fault *fault)
{
    (void)fault;
    read_said(own);
    return 0;
}

static void tell(struct starter *starter, const struct starter_report *report)
{
    // The socket has room: no more reports than orders are under way. Where the daemon has gone, send() fails.
    send(starter->fd, report, sizeof(*report), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void make_free(struct child *child, struct starter *starter)
{
    *child = (struct child){.starter = starter, .pidfd = -1, .said_fd = -1};
}

static void release(struct child *child)
{
    loop__remove(child->starter->loop, child->said_fd);
    loop__remove(child->starter->loop, child->pidfd);
    fd__close(&child->said_fd);
    fd__close(&child->pidfd);
    make_free(child, child->starter);
}

static void stop_when_done(struct starter *starter)
{
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        if (starter->children[i].pid)
            return;
    if (starter->is_left)
        loop__stop(starter->loop);
}

static int on_exit_of(void *own, struct fault *fault)
{
    struct child *child = own;
    int status = 0;
    (void)fault;
    if (waitpid(child->pid, &status, WNOHANG) != child->pid)
        return 0;
    while (read_said(child))
        ;
    child->report.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    tell(child->starter, &child->report);
    release(child);
    stop_when_done(child->starter);
    return 0;
}

static void become_record(const struct starter *starter, const char *const *argv, int said_fd, pid_t starter_pid)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        if (number != SIGXFSZ) // ignored: a limit on the size of files is an error of write()
            signal(number, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM); // and its store is whole
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() != starter_pid)
        _exit(EXIT_CODE_FAILED);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(said_fd, STDERR_FILENO) >= 0)
        execv("/proc/self/exe", (char *const *)argv);
    dprintf(said_fd, "hearth: cannot start a recording beside the daemon's in '%s': %s\n", starter->directory,
            strerror(errno));
    _exit(EXIT_CODE_FAILED);
}

// "hearth record WORDS -o STORE"
static void make_argv(const struct starter_order *order, const char *path, const char **argv)
{
    const char *word = order->words;
    *argv++ = "hearth";
    *argv++ = "record";
    for (uint32_t i = 0; i < order->word_count; i++, word += strlen(word) + 1)
        *argv++ = word;
    *argv++ = "-o";
    *argv++ = path;
    *argv = NULL;
}

static int start(struct starter *starter, const struct starter_order *order, struct child *child)
{
    const char *argv[LIMIT_SIDE_WORDS + 5];
    char path[PATH_MAX];
    int ends[2];
    pid_t own = getpid();
    snprintf(path, sizeof(path), "%s/" INCIDENTS_FOLDER "/%s", starter->directory, order->name);
    make_argv(order, path, argv);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    child->pid = fork();
    if (child->pid == 0)
        become_record(starter, argv, ends[1], own);
    int err = child->pid < 0 ? -errno : 0;
    close(ends[1]);
    child->said_fd = ends[0];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    child->pidfd = err ? -1 : (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (!err && child->pidfd < 0)
        err = -errno;
    if (!err)
        err = loop__add(starter->loop, child->said_fd, on_said, child);
    return err ? err : loop__add(starter->loop, child->pidfd, on_exit_of, child);
}

static void end_child(struct child *child)
{
    if (child->pid > 0)
        kill(child->pid, SIGTERM);
}

// The daemon has checked all of it. -EINVAL: it is the daemon no more.
static int check(const struct starter_order *order, struct fault *fault)
{
    const char *words[LIMIT_SIDE_WORDS], *word = order->words, *end = word + sizeof(order->words);
    uint64_t wall_ns;
    if (order->words[sizeof(order->words) - 1] || order->word_count > LIMIT_SIDE_WORDS ||
        strnlen(order->name, sizeof(order->name)) == sizeof(order->name) || !incident__parse(order->name, &wall_ns))
        return fault__set(fault, -EINVAL, "a bad order for a recording");
    for (uint32_t i = 0; i < order->word_count; i++, word += strlen(word) + 1) {
        if (word >= end)
            return fault__set(fault, -EINVAL, "a bad order for a recording");
        words[i] = word;
    }
    return side_words__check((int)order->word_count, words, fault);
}

static struct child *find(struct starter *starter, pid_t pid, uint64_t id)
{
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        if (!starter->children[i].pid == !pid && starter->children[i].report.id == id)
            return &starter->children[i];
    return NULL;
}

static void begin(struct starter *starter, const struct starter_order *order)
{
    struct fault fault = {0};
    struct child *child = find(starter, 0, 0);
    int err = child ? check(order, &fault) : fault__set(&fault, -EBUSY, "too many recordings run");
    if (!err) {
        child->report.id = order->id;
        err = start(starter, order, child);
    }
    if (!err)
        return;
    struct starter_report report = {.id = order->id, .exit_code = fault.code ? fault.code : EXIT_CODE_FAILED};
    snprintf(report.said, sizeof(report.said), "hearth: cannot start a recording: %s\n",
             *fault.text ? fault.text : strerror(-err));
    tell(starter, &report);
    if (child && child->report.id == order->id) {
        end_child(child);
        release(child);
    }
}

static int on_order(void *own, struct fault *fault)
{
    struct starter *starter = own;
    struct starter_order order;
    struct child *child;
    ssize_t got = recv(starter->fd, &order, sizeof(order), MSG_DONTWAIT);
    (void)fault;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got == sizeof(order) && !order.ends)
        begin(starter, &order);
    else if (got == sizeof(order) && (child = find(starter, 1, order.id)))
        end_child(child);
    if (got > 0)
        return 0;
    starter->is_left = true;
    loop__remove(starter->loop, starter->fd);
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        end_child(&starter->children[i]);
    stop_when_done(starter);
    return 0;
}

void starter__serve(int fd, void *directory)
{
    struct starter starter = {.directory = directory, .fd = fd};
    struct fault fault = {0};
    sigset_t term;
    setsid(); // ^C is meant for the daemon, which ends us
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL); // not ignored: a recording that has not called execve() yet must end of it
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        make_free(&starter.children[i], &starter);
    int err = loop__new(&starter.loop);
    if (!err)
        err = loop__add(starter.loop, fd, on_order, &starter);
    if (!err)
        err = loop__run(starter.loop, &fault);
    if (err)
        fault__say(&fault, err);
}
