#include "symbolizer/worker/worker_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/system/warm_heap.h"
#include "symbolizer/worker/worker_process.h"

#define WARM_BYTES ((size_t)32 << 20)

// How long a worker may take to die after SIGKILL. Where it waits in read() for a file system that does not answer,
// SIGKILL may not end it; then the keeper leaves it behind.
#define DEATH_MS 1000

// How long a worker waits for the next job of its company.
#define REST_MS 500

// Workers that rest: of two companies, one that makes rows, and one that makes names at the lowest priority. Above: the
// first of them goes.
#define RESTING 4

// A worker goes when it has used one part in so many of the CPU time that it may use.
#define CPU_PARTS 4

struct child {
    pid_t pid; // 0: none
    int pidfd;
    int channel;     // jobs come by it
    int outcome;     // -1: it waits for its job
    struct job job;  // the last one
    uint32_t jobs;   // how many there were
    uint64_t cpu_us; // told in the outcomes of those before
    bool rests;
    int64_t deadline_ms;
    bool over_time, unwanted; // and killed for that
    bool is_left;             // did not die of it
};

struct keeper {
    int control;
    job_fn *run;
    struct child spare;
    struct child working[LIMIT_WORKERS + RESTING];
    size_t working_count, resting_count;
    pid_t left[LIMIT_WORKERS_LEFT]; // those that did not die, until they do
    size_t left_count;
};

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
        worker_process__run(pair[1], keeper->run);
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
    uint64_t cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                      (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    struct outcome outcome = {.was_used = child->jobs > 1,
                              .cpu_us = cpu_us > child->cpu_us ? cpu_us - child->cpu_us : 0,
                              .peak_bytes = (uint64_t)usage.ru_maxrss * 1024u};
    // SIGXCPU comes from the limit on CPU time, SIGKILL from the kernel short of memory, or from somebody.
    if (child->over_time || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
        outcome.err = -ETIMEDOUT;
    else if (WIFSIGNALED(status))
        outcome.err = -ECHILD;
    if (child->rests)
        keeper->resting_count--;
    else
        tell(child->outcome, outcome);
    child__close(child);
    keeper->working[which] = keeper->working[--keeper->working_count];
}

static void kill_child(struct child *child)
{
    child->unwanted = true;
    child->deadline_ms = packet__now_ms() + DEATH_MS;
    kill(child->pid, SIGKILL);
}

static uint64_t cpu_us_of(pid_t pid)
{
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) == 0 ? clock__ns(clock) / 1000u : 0;
}

static bool may_go_on(const struct child *child)
{
    return child->job.company && child->jobs < LIMIT_WORKER_JOBS &&
           child->cpu_us < child->job.limits.cpu_s * 1000000ull / CPU_PARTS;
}

static void end_longest_rest(struct keeper *keeper)
{
    struct child *first = NULL;
    for (size_t i = 0; i < keeper->working_count; i++) {
        struct child *child = &keeper->working[i];
        if (child->rests && !child->unwanted && (!first || child->deadline_ms < first->deadline_ms))
            first = child;
    }
    if (first)
        kill_child(first);
}

// A worker has done its job, or says so. One that was taken over may say it at any time, and as often as it likes: then
// it is ended.
static void rest(struct keeper *keeper, struct child *child)
{
    struct rested rested;
    struct packet_fds none;
    int err = packet__receive(child->channel, -1, &rested, sizeof(rested), &none);
    packet__close(&none);
    if (err || child->rests || child->unwanted) {
        fd__close(&child->channel);
        child->channel = -1;
        if (!child->unwanted)
            kill_child(child);
        return;
    }
    uint64_t cpu_us = cpu_us_of(child->pid);
    tell(child->outcome, (struct outcome){.was_used = child->jobs > 1,
                                          .cpu_us = cpu_us > child->cpu_us ? cpu_us - child->cpu_us : 0,
                                          .peak_bytes = rested.peak_bytes});
    fd__close(&child->outcome);
    child->outcome = -1;
    child->cpu_us = cpu_us;
    child->deadline_ms = packet__now_ms() + REST_MS;
    child->rests = true;
    keeper->resting_count++;
    if (!may_go_on(child))
        kill_child(child);
    else if (keeper->resting_count > RESTING)
        end_longest_rest(keeper);
}

static bool is_company(const struct child *child, const struct job *job)
{
    return child->rests && !child->unwanted && job->company && child->job.company == job->company &&
           child->job.is_lowered == job->is_lowered &&
           memcmp(&child->job.limits, &job->limits, sizeof(job->limits)) == 0;
}

// NULL: there is none, or it has just died.
static struct child *hand_to_resting(struct keeper *keeper, const struct job *job, const struct packet_fds *socket)
{
    for (size_t i = 0; i < keeper->working_count; i++) {
        struct child *child = &keeper->working[i];
        if (!is_company(child, job) || packet__send(child->channel, job, sizeof(*job), socket) != 0)
            continue;
        child->rests = false;
        keeper->resting_count--;
        return child;
    }
    return NULL;
}

// A spare that was killed while it waited is replaced, once.
static int hand_to_spare(struct keeper *keeper, const struct job *job, const struct packet_fds *socket)
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

static int hand_over(struct keeper *keeper, const struct job *job, const struct packet_fds *socket,
                     struct child **ret_child)
{
    if (keeper->left_count == LIMIT_WORKERS_LEFT)
        return -EBUSY;
    *ret_child = hand_to_resting(keeper, job, socket);
    if (*ret_child)
        return 0;
    int err = hand_to_spare(keeper, job, socket);
    if (err)
        return err;
    *ret_child = &keeper->working[keeper->working_count++];
    **ret_child = keeper->spare;
    keeper->spare = (struct child){.pidfd = -1, .channel = -1, .outcome = -1};
    return 0;
}

static void take_job(struct keeper *keeper)
{
    struct job job;
    struct packet_fds fds;
    if (packet__receive(keeper->control, -1, &job, sizeof(job), &fds) != 0 || fds.fds[0] < 0 || fds.fds[1] < 0)
        _exit(0); // the workers die with their keeper
    struct packet_fds socket = {{fds.fds[0], -1}};
    reap_left(keeper);
    struct child *child;
    int err = hand_over(keeper, &job, &socket, &child);
    if (err) {
        tell(fds.fds[1], (struct outcome){.err = err});
    } else {
        child->outcome = take_fd(&fds.fds[1]);
        child->job = job;
        child->jobs++;
        child->deadline_ms = packet__now_ms() + job.limits.wall_ms;
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
    child->over_time = !is_unwanted;
    kill_child(child);
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
    struct pollfd fds[1 + 3 * (LIMIT_WORKERS + RESTING)];
    size_t count = keeper->working_count, busy = count - keeper->resting_count;
    bool has_room = busy < LIMIT_WORKERS && count < LIMIT_WORKERS + RESTING;
    fds[0] = (struct pollfd){.fd = has_room ? keeper->control : -1, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        const struct child *child = &keeper->working[i];
        fds[1 + 3 * i] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
        fds[2 + 3 * i] = (struct pollfd){.fd = child->unwanted ? -1 : child->outcome, .events = POLLRDHUP};
        fds[3 + 3 * i] = (struct pollfd){.fd = child->channel, .events = POLLIN};
    }
    if (poll(fds, (nfds_t)(1 + 3 * count), count ? ms_left(keeper) : -1) < 0)
        return;
    for (size_t i = count; i-- > 0;) { // backwards: the last takes the place of one that ended
        bool is_gone = fds[1 + 3 * i].revents != 0;
        if (!is_gone && fds[3 + 3 * i].revents)
            rest(keeper, &keeper->working[i]);
        else if (!is_gone)
            kill_late(&keeper->working[i], fds[2 + 3 * i].revents != 0);
        if (is_gone || keeper->working[i].is_left)
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
    buf__allow_huge_pages();             // in the workers, as the heap
    warm_heap__prepare(WARM_BYTES);
    make_spare(&keeper);
    tell(keeper.control, (struct outcome){0});
    for (;;)
        turn(&keeper);
}
