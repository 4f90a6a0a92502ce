#include "symbolizer/worker/worker_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "store/base/priority.h"
#include "store/base/warm_heap.h"
#include "symbolizer/jail/helper.h"
#include "symbolizer/jail/sealed.h"

// Two threads read debug information of so many bytes. Less is read before the second thread has woken up.
#define HELPED_BYTES (4u << 20)

#define WARM_BYTES ((size_t)32 << 20)

// How long a worker may take to die after SIGKILL. Where it waits in read() for a file system that does not answer,
// SIGKILL may not end it; then the keeper leaves it behind.
#define DEATH_MS 1000

struct child {
    pid_t pid; // 0: none
    int pidfd;
    int channel; // the job comes by it
    int outcome; // -1: it waits for its job
    int64_t deadline_ms;
    bool over_time, unwanted; // and killed for that
    bool is_left;             // did not die of it
};

struct keeper {
    int control;
    job_fn *run;
    struct child spare;
    struct child working[LIMIT_WORKERS];
    size_t working_count;
    pid_t left[LIMIT_WORKERS_LEFT]; // those that did not die, until they do
    size_t left_count;
};

// ---- In the worker.

static void work(int channel, job_fn *run) __attribute__((noreturn));
static void work(int channel, job_fn *run)
{
    struct job job;
    struct packet_fds socket, inputs, made_fds = {{-1, -1}};
    struct buf made = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "hearth-worker");
    if (packet__receive(channel, -1, &job, sizeof(job), &socket) != 0 || socket.fds[0] < 0)
        _exit(0);
    if (job.is_lowered)
        priority__lower(); // before there is a helper, which inherits it
    struct helper *helper = NULL;
    int err = packet__receive(socket.fds[0], -1, &(char){0}, 1, &inputs);
    if (!err && job.kind == JOB_INDEX && helper__new(HELPED_BYTES, &helper) != 0)
        helper = NULL;
    if (!err)
        err = sandbox__enter(&job.limits);
    warm_heap__prepare(WARM_BYTES);
    if (!err)
        err = run(socket.fds[0], &job, &inputs, helper, &made);
    if (!err)
        err = sealed__make("made", made.data, made.length_bytes, &made_fds.fds[0]);
    struct reply reply = {.kind = REPLY_DONE, .err = err};
    packet__send(socket.fds[0], &reply, sizeof(reply), &made_fds);
    _exit(0); // nothing here needs an orderly end
}

// ---- In the keeper.

static void child__close(struct child *child)
{
    fd__close(&child->pidfd);
    fd__close(&child->channel);
    fd__close(&child->outcome);
    *child = (struct child){.pidfd = -1, .channel = -1, .outcome = -1};
}

static int make_spare(struct keeper *keeper)
{
    int pair[2];
    if (keeper->spare.pid)
        return 0;
    int err = packet__pair(0, pair);
    if (err)
        return err;
    pid_t pid = fork();
    if (pid == 0) { // the keeper's descriptors of other jobs are not for this one
        close(pair[0]);
        close(keeper->control);
        for (size_t i = 0; i < keeper->working_count; i++)
            child__close(&keeper->working[i]);
        work(pair[1], keeper->run);
    }
    err = pid < 0 ? -errno : 0;
    close(pair[1]);
    if (!err)
        keeper->spare = (struct child){.pid = pid, .channel = pair[0], .outcome = -1};
    else
        close(pair[0]);
    return err;
}

static int wait_for(const struct child *child, struct rusage *ret_usage)
{
    int status = 0;
    while (wait4(child->pid, &status, 0, ret_usage) < 0 && errno == EINTR)
        ;
    return status;
}

static void drop_spare(struct keeper *keeper)
{
    struct rusage usage;
    if (!keeper->spare.pid)
        return;
    kill(keeper->spare.pid, SIGKILL);
    wait_for(&keeper->spare, &usage);
    child__close(&keeper->spare);
}

static void tell(int socket, struct outcome outcome)
{
    packet__send(socket, &outcome, sizeof(outcome), NULL); // the other side may have closed its end
}

static void reap_left(struct keeper *keeper)
{
    for (size_t i = keeper->left_count; i-- > 0;)
        if (waitpid(keeper->left[i], NULL, WNOHANG) != 0)
            keeper->left[i] = keeper->left[--keeper->left_count];
}

static void end(struct keeper *keeper, size_t which)
{
    struct child *child = &keeper->working[which];
    struct rusage usage = {0};
    int status = child->is_left ? 0 : wait_for(child, &usage);
    if (child->is_left && keeper->left_count < LIMIT_WORKERS_LEFT)
        keeper->left[keeper->left_count++] = child->pid;
    struct outcome outcome = {.cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                                        (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
                              .peak_bytes = (uint64_t)usage.ru_maxrss * 1024u};
    // SIGXCPU comes from the limit on CPU time, SIGKILL from the kernel short of memory, or from somebody.
    if (child->over_time || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
        outcome.err = -ETIMEDOUT;
    else if (WIFSIGNALED(status))
        outcome.err = -ECHILD;
    tell(child->outcome, outcome);
    child__close(child);
    keeper->working[which] = keeper->working[--keeper->working_count];
}

// A spare that was killed while it waited is replaced, once.
static int hand_over(struct keeper *keeper, const struct job *job, const struct packet_fds *socket)
{
    for (int turn = 0; turn < 2; turn++) {
        int err = make_spare(keeper);
        if (err)
            return err;
        keeper->spare.pidfd = (int)syscall(SYS_pidfd_open, keeper->spare.pid, 0);
        if (keeper->spare.pidfd < 0)
            return -errno;
        if (packet__send(keeper->spare.channel, job, sizeof(*job), socket) == 0)
            return 0;
        drop_spare(keeper);
    }
    return -ECHILD;
}

static void take_job(struct keeper *keeper)
{
    struct job job;
    struct packet_fds fds;
    if (packet__receive(keeper->control, -1, &job, sizeof(job), &fds) != 0 || fds.fds[0] < 0 || fds.fds[1] < 0)
        _exit(0); // the workers die with their keeper
    struct packet_fds socket = {{fds.fds[0], -1}};
    reap_left(keeper);
    int err = keeper->left_count < LIMIT_WORKERS_LEFT ? hand_over(keeper, &job, &socket) : -EBUSY;
    if (err) {
        tell(fds.fds[1], (struct outcome){.err = err});
    } else {
        keeper->spare.outcome = take_fd(&fds.fds[1]);
        keeper->spare.deadline_ms = packet__now_ms() + job.limits.wall_ms;
        keeper->working[keeper->working_count++] = keeper->spare;
        keeper->spare = (struct child){.pidfd = -1, .channel = -1, .outcome = -1};
    }
    packet__close(&fds);
    make_spare(keeper); // for the next job, which tries again if this fails
}

static void kill_late(struct child *child, bool is_unwanted)
{
    bool is_late = packet__now_ms() >= child->deadline_ms;
    if (child->over_time || child->unwanted) {
        child->is_left = is_late;
        return;
    }
    if (!is_unwanted && !is_late)
        return;
    if (is_unwanted)
        child->unwanted = true;
    else
        child->over_time = true;
    child->deadline_ms = packet__now_ms() + DEATH_MS;
    kill(child->pid, SIGKILL);
}

static int ms_left(const struct keeper *keeper)
{
    int64_t left_ms = INT32_MAX, now_ms = packet__now_ms();
    for (size_t i = 0; i < keeper->working_count; i++)
        if (keeper->working[i].deadline_ms - now_ms < left_ms)
            left_ms = keeper->working[i].deadline_ms - now_ms;
    return left_ms > 0 ? (int)left_ms : 0;
}

// Waits for a job, for workers to end, and for the symbolizer to close or shut down its end of a job's outcome.
static void turn(struct keeper *keeper)
{
    struct pollfd fds[1 + 2 * LIMIT_WORKERS];
    size_t count = keeper->working_count;
    fds[0] = (struct pollfd){.fd = count < LIMIT_WORKERS ? keeper->control : -1, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        fds[1 + 2 * i] = (struct pollfd){.fd = keeper->working[i].pidfd, .events = POLLIN};
        fds[2 + 2 * i] =
            (struct pollfd){.fd = keeper->working[i].unwanted ? -1 : keeper->working[i].outcome, .events = POLLRDHUP};
    }
    if (poll(fds, (nfds_t)(1 + 2 * count), count ? ms_left(keeper) : -1) < 0)
        return;
    for (size_t i = count; i-- > 0;) { // backwards: the last takes the place of one that ended
        if (!fds[1 + 2 * i].revents)
            kill_late(&keeper->working[i], fds[2 + 2 * i].revents != 0);
        if (fds[1 + 2 * i].revents || keeper->working[i].is_left)
            end(keeper, i);
    }
    if (fds[0].revents)
        take_job(keeper);
}

// A stranger's file may make a worker take much memory: the OOM killer shall kill that worker before all other
// processes. Workers inherit the score. The keeper writes it while it is still privileged: once it is not dumpable, the
// file is root's.
static void offer_to_oom_killer(void)
{
    static const char most[] = "1000"; // OOM_SCORE_ADJ_MAX
    _cleanup_fd_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, most, sizeof(most) - 1) < 0)
        return; // as likely as others, then
}

void worker_keeper__run(int inherited, job_fn *run)
{
    struct keeper keeper = {.control = inherited, .run = run, .spare = {.pidfd = -1, .channel = -1, .outcome = -1}};
    offer_to_oom_killer();
    int err = sandbox__shed(inherited, &keeper.control);
    if (err) {
        tell(keeper.control, (struct outcome){.err = err});
        _exit(1);
    }
    prctl(PR_SET_NAME, "hearth-keeper"); // 15 bytes at most (TASK_COMM_LEN)
    buf__allow_huge_pages();             // in the workers
    make_spare(&keeper);
    tell(keeper.control, (struct outcome){0});
    for (;;)
        turn(&keeper);
}
