#include "symbolizer/worker/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/hash.h"
#include "store/base/limits.h"
#include "store/system/priority.h"
#include "symbolizer/elf/file_identity.h"
#include "symbolizer/jail/sealed.h"
#include "symbolizer/worker/job.h"
#include "symbolizer/worker/worker_budget.h"
#include "symbolizer/worker/worker_insides.h"
#include "symbolizer/worker/worker_keeper.h"

// How much later than agreed the keeper may be, on a busy machine.
#define KEEPER_MS 5000

// How often a wait for the keeper looks whether the keeper was stopped (SIGSTOP, by anybody of its uid).
#define LOOK_MS 250

struct worker {
    struct worker_options options;
    pthread_mutex_t lock; // of what follows
    int control;
    pid_t keeper;
    bool is_cancelled;
    bool is_lowered;
    pthread_mutex_t large; // held by the one job that may have much memory
    struct worker_budget budget;
};

// Returns when the keeper is ready, or with the error of its sandbox__shed.
static int start_keeper(struct worker *worker)
{
    int pair[2];
    struct outcome outcome;
    struct packet_fds none;
    int pair_err = packet__pair(KEEPER_MS, pair);
    if (pair_err)
        return pair_err;
    pid_t pid = fork();
    if (pid == 0)
        worker_keeper__run(pair[1], worker->options.run ? worker->options.run : job__run);
    int err = pid < 0 ? -errno : 0;
    close(pair[1]);
    worker->control = pair[0];
    worker->keeper = pid > 0 ? pid : 0;
    if (!err)
        err = packet__receive(worker->control, packet__now_ms() + KEEPER_MS, &outcome, sizeof(outcome), &none);
    if (!err) {
        packet__close(&none);
        err = outcome.err;
    }
    return err;
}

// Kills first: another process of the keeper's uid may have stopped it, and then it sees no end of its socket. The
// workers die with it (PR_SET_PDEATHSIG).
static void stop_keeper(struct worker *worker)
{
    fd__close(&worker->control);
    worker->control = -1;
    if (worker->keeper > 0) {
        kill(worker->keeper, SIGKILL);
        while (waitpid(worker->keeper, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    worker->keeper = 0;
}

// A keeper that was stopped does nothing more. Threads that wait for it see the end of its sockets, and start another
// one.
static void kill_if_stopped(struct worker *worker)
{
    siginfo_t stopped = {0};
    pthread_mutex_lock(&worker->lock);
    if (worker->keeper > 0 && waitid(P_PID, (id_t)worker->keeper, &stopped, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
        stopped.si_pid)
        kill(worker->keeper, SIGKILL);
    pthread_mutex_unlock(&worker->lock);
}

// packet__receive that also ends a stopped keeper. The keeper ends the job before the deadline.
static int receive(struct worker *worker, int socket, int64_t deadline_ms, void *bytes, size_t length,
                   struct packet_fds *ret_fds)
{
    for (;;) {
        int64_t look_ms = packet__now_ms() + LOOK_MS;
        int err = packet__receive(socket, look_ms < deadline_ms ? look_ms : deadline_ms, bytes, length, ret_fds);
        if (err != -ETIMEDOUT || packet__now_ms() >= deadline_ms)
            return err;
        kill_if_stopped(worker);
    }
}

int worker__new(const struct worker_options *options, struct fault *fault, struct worker **ret_worker)
{
    _cleanup_(worker__freep) struct worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return fault__set(fault, -ENOMEM, "out of memory");
    pthread_mutex_init(&worker->lock, NULL);
    pthread_mutex_init(&worker->large, NULL);
    worker_budget__init(&worker->budget);
    worker->control = -1;
    if (options)
        worker->options = *options;
    int err = start_keeper(worker);
    if (err == -EMFILE || err == -ENFILE)
        return fault__set(fault, err, "cannot start the process that reads binaries: too many open files");
    if (err)
        return fault__set_code(fault, EXIT_CODE_LACKS, err,
                               "cannot read binaries in a process that can do no harm: seccomp or the dropping of "
                               "privileges is refused here (%s); allow them in the container's profile",
                               strerror(-err));
    *ret_worker = take_pointer(worker);
    return 0;
}

void worker__free(struct worker *worker)
{
    if (!worker)
        return;
    stop_keeper(worker);
    pthread_mutex_destroy(&worker->lock);
    pthread_mutex_destroy(&worker->large);
    pthread_mutex_destroy(&worker->budget.lock);
    free(worker);
}

// A thread that waits for the keeper or for a worker sees the ends of their sockets.
void worker__cancel(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->is_cancelled = true;
    if (worker->keeper > 0)
        kill(worker->keeper, SIGKILL); // and its workers die with it
    pthread_mutex_unlock(&worker->lock);
}

void worker__lower(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->is_lowered = true;
    pthread_mutex_unlock(&worker->lock);
}

void worker__raise(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->is_lowered = false;
    if (worker->keeper > 0)
        priority__raise_group(worker->keeper); // the leader of a session of its own (sandbox__shed)
    pthread_mutex_unlock(&worker->lock);
}

static struct sandbox_limits limits_of(const struct worker *worker, enum worker_share share, uint64_t answer_bytes)
{
    if (worker->options.limits.cpu_s)
        return worker->options.limits;
    return (struct sandbox_limits){
        .memory_bytes = share == SHARE_QUICK ? LIMIT_QUICK_MEMORY_BYTES : LIMIT_WORKER_MEMORY_BYTES,
        .answer_bytes = answer_bytes,
        .cpu_s = share == SHARE_SLOW ? LIMIT_WORKER_CPU_S : LIMIT_QUICK_CPU_S,
        .wall_ms = share == SHARE_SLOW || worker->options.lowers_rows ? LIMIT_WORKER_WALL_MS : LIMIT_QUICK_WALL_MS};
}

// A keeper that died, or reads its socket no more, is started again, once.
static int send_job(struct worker *worker, struct job *job, const struct packet_fds *ends)
{
    pthread_mutex_lock(&worker->lock);
    // Stacks are broken until there are rows.
    job->is_lowered = job->kind == JOB_ROWS ? worker->options.lowers_rows : worker->is_lowered;
    int err = worker->is_cancelled   ? -ECANCELED
              : worker->control >= 0 ? packet__send(worker->control, job, sizeof(*job), ends)
                                     : -EPIPE;
    if (err == -EPIPE || err == -ETIMEDOUT) {
        stop_keeper(worker);
        err = start_keeper(worker);
        if (!err)
            err = packet__send(worker->control, job, sizeof(*job), ends);
    }
    pthread_mutex_unlock(&worker->lock);
    return err;
}

static void job_ends__close(struct job_ends *ends)
{
    fd__close(&ends->socket);
    fd__close(&ends->outcome);
    *ends = (struct job_ends){-1, -1};
}

static int start_job(struct worker *worker, struct job *job, const struct packet_fds *inputs, struct job_ends *ret_ends)
{
    int socket[2], outcome[2];
    int err = packet__pair(KEEPER_MS, socket);
    if (err)
        return err;
    *ret_ends = (struct job_ends){socket[0], -1};
    err = packet__pair(KEEPER_MS, outcome);
    if (!err) {
        ret_ends->outcome = outcome[0];
        err = send_job(worker, job, &(struct packet_fds){{socket[1], outcome[1]}});
        close(outcome[1]);
    }
    close(socket[1]);
    return err ? err : packet__send(socket[0], &(char){0}, 1, inputs);
}

static int serve_companion(int socket, const struct naming_request *request, struct reply *reply)
{
    // Its strings come from a worker that may have been taken over.
    struct companion *companion = &reply->companion;
    struct packet_fds fds = {{-1, -1}};
    companion->name[sizeof(companion->name) - 1] = '\0';
    companion->folder[sizeof(companion->folder) - 1] = '\0';
    if (companion->build_id_bytes > sizeof(companion->build_id))
        companion->build_id_bytes = 0;
    int32_t answer = request && request->companions.open
                         ? request->companions.open(request->companions.context, companion, &fds.fds[0])
                         : -ENOENT;
    int err = packet__send(socket, &answer, sizeof(answer), &fds);
    packet__close(&fds);
    return err;
}

// Serves the worker until it is done.
static int follow_job(struct worker *worker, int socket, const struct job *job, const struct naming_request *request,
                      int *ret_fd)
{
    int64_t deadline_ms = packet__now_ms() + job->limits.wall_ms + KEEPER_MS;
    for (size_t asked = 0; asked <= LIMIT_COMPANIONS;) {
        struct reply reply;
        struct packet_fds fds;
        int err = receive(worker, socket, deadline_ms, &reply, sizeof(reply), &fds);
        if (err)
            return err;
        if (reply.kind == REPLY_DONE) {
            // An error of the worker's own choice is one of these, or it is not believed.
            if (!reply.err && fds.fds[0] >= 0)
                *ret_fd = take_fd(&fds.fds[0]);
            packet__close(&fds);
            return reply.err == 0                       ? (*ret_fd >= 0 ? 0 : -EBADMSG)
                   : reply.err < 0 && reply.err > -4096 ? reply.err
                                                        : -EBADMSG;
        }
        packet__close(&fds);
        asked++;
        err = reply.kind == REPLY_WANTS ? serve_companion(socket, request, &reply) : -EBADMSG;
        if (err)
            return err;
    }
    return -E2BIG;
}

// Waits for the worker's answer and for its end. -EOWNERDEAD: the keeper died, or a worker that had done other jobs
// before, which may not be this job's fault.
static int end_job(const struct worker_job *running, const struct naming_request *request, struct worker_usage *usage,
                   int *ret_fd)
{
    const struct job_ends *ends = &running->ends;
    const struct job *job = &running->job;
    _cleanup_fd_ int fd = -1;
    struct outcome outcome;
    struct packet_fds none;
    int err = follow_job(running->worker, ends->socket, job, request, &fd);
    if (err)
        shutdown(ends->outcome, SHUT_WR); // if it still runs, it may go
    int keeper_err = receive(running->worker, ends->outcome, packet__now_ms() + job->limits.wall_ms + KEEPER_MS,
                             &outcome, sizeof(outcome), &none);
    if (keeper_err)
        return keeper_err == -EPIPE ? -EOWNERDEAD : keeper_err;
    packet__close(&none);
    usage->cpu_us += outcome.cpu_us;
    usage->peak_bytes = outcome.peak_bytes;
    if (err == -EPIPE)
        err = outcome.err ? outcome.err : -ECHILD;
    if (outcome.was_used && (err == -ECHILD || err == -ENOMEM || err == -ETIMEDOUT))
        return -EOWNERDEAD;
    if (err)
        return err;
    *ret_fd = take_fd(&fd);
    return 0;
}

static int begin_again(struct worker_job *job)
{
    job->ends = (struct job_ends){-1, -1};
    int err = start_job(job->worker, &job->job, &job->inputs, &job->ends);
    // -EPIPE: the worker died before it had its inputs. The keeper tells why, in worker_job__end.
    return err && (err != -EPIPE || job->ends.outcome < 0) ? err : 0;
}

int worker_job__begin(struct worker *worker, const struct job *job, enum worker_share share, uint64_t answer_bytes,
                      const struct packet_fds *inputs, struct worker_job *ret_job)
{
    *ret_job = (struct worker_job){.worker = worker, .job = *job, .inputs = *inputs};
    ret_job->job.limits = limits_of(worker, share, answer_bytes);
    int err = begin_again(ret_job);
    if (err)
        worker_job__close(ret_job);
    return err;
}

static uint64_t now_us(void)
{
    return (uint64_t)packet__now_ms() * 1000u;
}

// Small files of one owner on one file system: none of them can say more about another than who made it could say
// itself. A container's files are on a file system of their own.
static uint64_t company_of(const struct job *job, enum worker_share share, int fd, uint64_t owner)
{
    struct stat status;
    bool is_kind = job->kind == JOB_ROWS || (job->kind == JOB_INDEX && job->reader == NAMING_BY_OUR_OWN);
    if (!is_kind || share != SHARE_QUICK || owner == UINT64_MAX || fstat(fd, &status) != 0 ||
        status.st_size > LIMIT_SMALL_FILE_BYTES)
        return 0;
    uint64_t company = hash__pair(owner, status.st_dev);
    return company ? company : 1;
}

int worker_job__begin_paid(struct worker *worker, const struct job *job, enum worker_share share, uint64_t answer_bytes,
                           const struct packet_fds *inputs, struct worker_job *ret_job)
{
    uint64_t owner = file_identity__owner(inputs->fds[0]);
    // The symbol table alone is asked for after the debug information has failed, which may have spent the budget.
    bool is_last_try = job->kind == JOB_INDEX && job->reader == NAMING_BY_NOBODY;
    int err = is_last_try ? 0 : worker_budget__check(&worker->budget, owner, job->kind == JOB_ROWS, now_us());
    struct job with_company = *job;
    with_company.company = company_of(job, share, inputs->fds[0], owner);
    if (!err)
        err = worker_job__begin(worker, &with_company, share, answer_bytes, inputs, ret_job);
    if (err)
        return err;
    ret_job->owner = owner;
    ret_job->has_owner = true;
    return 0;
}

static void pay(const struct worker_job *job, const struct worker_usage *usage, bool has_failed)
{
    if (job->has_owner)
        worker_budget__charge(&job->worker->budget, job->owner, job->job.kind == JOB_ROWS, now_us(), usage->cpu_us,
                              has_failed);
}

int worker_job__end(struct worker_job *job, const struct naming_request *request, struct worker_usage *ret_usage,
                    void **ret_bytes, size_t *ret_length)
{
    _cleanup_fd_ int fd = -1;
    struct worker_usage usage = {0};
    int err = end_job(job, request, &usage, &fd);
    job_ends__close(&job->ends);
    if (err == -EOWNERDEAD) {
        job->job.company = 0;
        err = begin_again(job);
        if (!err)
            err = end_job(job, request, &usage, &fd);
    }
    worker_job__close(job);
    pay(job, &usage, err != 0);
    if (ret_usage)
        *ret_usage = usage;
    if (err)
        return err == -EOWNERDEAD ? -ECHILD : err;
    return sealed__map(fd, job->job.limits.answer_bytes, ret_bytes, ret_length);
}

void worker_job__close(struct worker_job *job)
{
    job_ends__close(&job->ends); // the keeper ends a job that nobody waits for
}

int worker__index(struct worker *worker, const struct naming_request *request, struct worker_usage *ret_usage,
                  void **ret_bytes, size_t *ret_length)
{
    _cleanup_fd_ int offsets_fd = -1;
    struct job job = {
        .kind = JOB_INDEX, .complete = request->complete, .reader = request->reader, .count = request->count};
    struct worker_job running;
    enum worker_share share = !request->is_quick ? SHARE_SLOW : request->is_large ? SHARE_QUICK_LARGE : SHARE_QUICK;
    *ret_usage = (struct worker_usage){0};
    int err = sealed__make("offsets", request->offsets, request->count * sizeof(*request->offsets), &offsets_fd);
    if (err)
        return err;
    if (share != SHARE_QUICK)
        pthread_mutex_lock(&worker->large);
    err = worker_job__begin_paid(worker, &job, share, LIMIT_INDEX_BYTES,
                                 &(struct packet_fds){{request->fd, offsets_fd}}, &running);
    if (!err)
        err = worker_job__end(&running, request, ret_usage, ret_bytes, ret_length);
    if (share != SHARE_QUICK)
        pthread_mutex_unlock(&worker->large);
    return err;
}
