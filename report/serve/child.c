#include "report/serve/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/serve/encoding.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

static void limit(int which, uint64_t most)
{
    setrlimit((__rlimit_resource_t)which, &(struct rlimit){most, most});
}

// The connections of the server: a client that waits for their end would wait for this process.
static void close_others(int kept_fd)
{
    if (kept_fd > 3)
        syscall(SYS_close_range, 3u, (unsigned)kept_fd - 1, 0u);
    syscall(SYS_close_range, (unsigned)kept_fd + 1, ~0u, 0u);
}

void answer__put_error(const struct fault *fault, int err)
{
    _cleanup_free_ char *clean = safe_text__dup(*fault->text ? fault->text : strerror(-err));
    printf("{\"error\":");
    text__put_json(stdout, clean ? clean : "out of memory");
    printf("}\n");
}

// Compresses the answer where there is time left, and says so by a byte.
static int pack_answer(int done_fd)
{
    bool is_packed = false;
    unsigned left_s = alarm(0);
    alarm(left_s);
    int err = left_s >= LIMIT_SERVE_GZIP_LEAST_S ? encoding__pack_file(STDOUT_FILENO, &is_packed) : 0;
    return err || !is_packed || write(done_fd, "z", 1) == 1 ? err : -EIO;
}

// In the child. The exit code is the command's that asks the same.
_Noreturn static void answer_and_exit(answer_fn *answer, const struct question *question, int answer_fd, int done_fd)
{
    struct fault fault = {0};
    signal(SIGINT, SIG_IGN); // of the terminal: the server decides
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(answer_fd, STDOUT_FILENO) < 0)
        _exit(EXIT_CODE_FAILED);
    close_others(done_fd);
    limit(RLIMIT_AS, LIMIT_SERVE_QUESTION_BYTES);
    limit(RLIMIT_CPU, LIMIT_SERVE_QUESTION_S);
    limit(RLIMIT_FSIZE, LIMIT_SERVE_ANSWER_BYTES);
    limit(RLIMIT_CORE, 0);
    alarm(LIMIT_SERVE_QUESTION_S);
    int err = answer(question, &fault);
    if (!err && fflush(stdout) != 0)
        err = -errno;
    if (!err && question->takes_gzip)
        err = pack_answer(done_fd);
    if (!err)
        _exit(EXIT_CODE_DONE);
    __fpurge(stdout);
    clearerr(stdout);
    if (ftruncate(STDOUT_FILENO, 0) != 0 || lseek(STDOUT_FILENO, 0, SEEK_SET) != 0)
        _exit(EXIT_CODE_FAILED);
    answer__put_error(&fault, err);
    fflush(stdout);
    _exit(fault.code ? fault.code : EXIT_CODE_FAILED);
}

int child__start(answer_fn *answer, const struct question *question, struct child *ret_child)
{
    int ends[2];
    _cleanup_fd_ int answer_fd = memfd_create("answer", MFD_CLOEXEC);
    if (answer_fd < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        answer_and_exit(answer, question, answer_fd, ends[1]);
    int err = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (err) {
        close(ends[0]);
        return err;
    }
    *ret_child = (struct child){.pid = pid, .done_fd = ends[0], .answer_fd = take_fd(&answer_fd)};
    return 0;
}

static int wait_for(struct child *child)
{
    int status = -1;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    char said;
    child->is_packed = read(child->done_fd, &said, 1) == 1;
    close(child->done_fd);
    child->pid = 0;
    return status;
}

// Of a child that could say nothing any more.
static unsigned replace(int *answer_fd, const char *words, unsigned status)
{
    // Not pwrite(): the server's filter has no such call.
    if (*answer_fd < 0 || ftruncate(*answer_fd, 0) != 0 || lseek(*answer_fd, 0, SEEK_SET) != 0 ||
        write(*answer_fd, words, strlen(words)) < 0) {
        if (*answer_fd >= 0)
            close(*answer_fd);
        *answer_fd = -1;
    }
    return status;
}

unsigned child__finish(struct child *child, int *ret_answer_fd)
{
    int status = wait_for(child);
    *ret_answer_fd = take_fd(&child->answer_fd);
    if (WIFEXITED(status)) {
        switch (WEXITSTATUS(status)) {
        case EXIT_CODE_DONE:
            return 200;
        case EXIT_CODE_USAGE:
            return 400;
        case EXIT_CODE_EMPTY:
            return 404;
        default:
            return 500;
        }
    }
    int by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (by == SIGALRM || by == SIGXCPU || by == SIGKILL)
        return replace(ret_answer_fd,
                       "{\"error\":\"this took too long, or too much memory; choose a shorter range\"}\n", 503);
    return replace(ret_answer_fd, "{\"error\":\"the process that computed this has crashed\"}\n", 500);
}

void child__stop(struct child *child)
{
    if (child->pid) {
        kill(child->pid, SIGKILL);
        wait_for(child);
    }
    if (child->answer_fd >= 0)
        close(take_fd(&child->answer_fd));
}
