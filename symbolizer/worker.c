#include "symbolizer/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "store/base/limits.h"
#include "symbolizer/packet.h"
#include "symbolizer/sandbox.h"
#include "symbolizer/sealed.h"
#include "symbolizer/symbol_name.h"

enum job_kind {
    JOB_INDEX,
    JOB_DEMANGLE,
    JOB_JIT,
};

struct job { // keeper and worker learn it from the same packet, sent with the worker's end of the job socket
    uint32_t kind;
    uint32_t complete;
    uint32_t symbols_only;
    uint32_t source; // enum jit_source
    uint64_t count;  // offsets, names, or addresses; they follow in a packet with the descriptors
};

enum reply_kind {
    REPLY_WANTS, // a companion
    REPLY_DONE,  // err, and with 0 the memfd
};

struct reply {
    uint32_t kind;
    int32_t err;
    struct companion companion;
};

struct outcome { // what the keeper says of a worker that ended
    int32_t err;
    uint32_t padding;
    uint64_t cpu_us;
    uint64_t peak_bytes;
};

struct worker {
    int control;
    pid_t keeper;
    struct worker_usage usage;
};

// ---- In the worker.

static int ask_for_companion(void *context, const struct companion *companion, int *ret_fd)
{
    int socket = *(const int *)context;
    struct reply reply = {.kind = REPLY_WANTS, .companion = *companion};
    struct packet_fds fds;
    int32_t answer;
    int err = packet__send(socket, &reply, sizeof(reply), NULL);
    if (!err)
        err = packet__receive(socket, -1, &answer, sizeof(answer), &fds);
    if (!err && answer == 0 && fds.fds[0] < 0)
        err = -EBADMSG;
    if (err || answer) {
        return err ? err : answer;
    }
    *ret_fd = fds.fds[0];
    return 0;
}

static int index_job(int socket, const struct job *job, const struct packet_fds *fds, struct buf *ret_made)
{
    void *offsets;
    size_t length;
    int err = sealed__map(fds->fds[1], SIZE_MAX / 2, &offsets, &length);
    if (err)
        return err;
    if (length / sizeof(uint64_t) != job->count)
        return -EBADMSG;
    struct naming_request request = {.fd = fds->fds[0],
                                     .offsets = offsets,
                                     .count = job->count,
                                     .complete = job->complete,
                                     .symbols_only = job->symbols_only,
                                     .open_companion = ask_for_companion,
                                     .context = &socket};
    return naming_job__run(&request, ret_made);
}

static int jit_job(const struct job *job, struct packet_fds *fds, struct buf *ret_made)
{
    void *addresses;
    size_t length;
    int err = sealed__map(fds->fds[1], SIZE_MAX / 2, &addresses, &length);
    if (err)
        return err;
    if (length / sizeof(uint64_t) != job->count || job->source >= JIT_SOURCES)
        return -EBADMSG;
    return jit_names__read((enum jit_source)job->source, fds->fds[0], addresses, job->count, ret_made);
}

static int demangle_job(const struct job *job, const struct packet_fds *fds, struct buf *ret_made)
{
    void *names;
    size_t length;
    int err = sealed__map(fds->fds[0], SIZE_MAX / 2, &names, &length);
    if (err)
        return err;
    const char *name = names;
    for (uint64_t i = 0; i < job->count; i++, name += strlen(name) + 1) {
        _cleanup_free_ char *shown = NULL;
        if (symbol_name__demangle(name, &shown) == 0)
            buf__append_string(ret_made, shown);
        buf__append_byte(ret_made, 0);
    }
    return ret_made->failed ? -ENOMEM : 0;
}

static int run_job_of_kind(int socket, const struct job *job, struct packet_fds *fds, struct buf *ret_made)
{
    switch (job->kind) {
    case JOB_INDEX:
        return index_job(socket, job, fds, ret_made);
    case JOB_JIT:
        return jit_job(job, fds, ret_made);
    default:
        return demangle_job(job, fds, ret_made);
    }
}

static void run_worker(int socket, const struct job *job) __attribute__((noreturn));
static void run_worker(int socket, const struct job *job)
{
    struct packet_fds fds;
    struct packet_fds made_fds = {{-1, -1}};
    struct buf made = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "hearth-worker");
    int err = packet__receive(socket, -1, &(char){0}, 1, &fds);
    if (!err)
        err = sandbox__enter();
    if (!err)
        err = run_job_of_kind(socket, job, &fds, &made);
    if (!err)
        err = sealed__make("index", made.data, made.length_bytes, &made_fds.fds[0]);
    struct reply reply = {.kind = REPLY_DONE, .err = err};
    packet__send(socket, &reply, sizeof(reply), &made_fds);
    _exit(0); // nothing here needs an orderly end
}

// ---- In the keeper.

static int wait_for_worker(pid_t pid, int control)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ready[] = {{.fd = pidfd, .events = POLLIN}, {.fd = control, .events = 0}}; // POLLHUP comes unasked
    int64_t deadline_ms = packet__now_ms() + LIMIT_WORKER_WALL_MS;
    int result = -1;
    while (pidfd >= 0) {
        int64_t left_ms = deadline_ms - packet__now_ms();
        result = left_ms > 0 ? poll(ready, 2, (int)left_ms) : 0;
        if (result >= 0 || errno != EINTR)
            break;
    }
    bool ended = result > 0 && ready[0].revents && !ready[1].revents;
    if (!ended)
        kill(pid, SIGKILL); // the parent is gone, or the time is up
    if (pidfd >= 0)
        close(pidfd);
    return ended ? 0 : -ETIMEDOUT;
}

static void supervise(pid_t pid, int control, struct outcome *ret_outcome)
{
    struct rusage usage = {0};
    int status = 0;
    int err = wait_for_worker(pid, control);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    if (!err && WIFSIGNALED(status)) // SIGKILL and SIGXCPU come from the limit on CPU time
        err = WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU ? -ETIMEDOUT : -ECHILD;
    ret_outcome->err = err;
    ret_outcome->cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                          (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    ret_outcome->peak_bytes = (uint64_t)usage.ru_maxrss * 1024u;
}

static void run_keeper(int inherited) __attribute__((noreturn));
static void run_keeper(int inherited)
{
    int control;
    if (sandbox__shed(inherited, &control) != 0)
        _exit(1);
    prctl(PR_SET_NAME, "hearth-keeper"); // 15 bytes at most (TASK_COMM_LEN)
    for (;;) {
        struct job job;
        struct packet_fds fds;
        struct outcome outcome = {0};
        if (packet__receive(control, -1, &job, sizeof(job), &fds) != 0 || fds.fds[0] < 0)
            _exit(0);
        pid_t pid = fork();
        if (pid == 0) {
            close(control);
            run_worker(fds.fds[0], &job);
        }
        packet__close(&fds);
        if (pid < 0)
            outcome.err = -errno;
        else
            supervise(pid, control, &outcome);
        if (packet__send(control, &outcome, sizeof(outcome), NULL) != 0)
            _exit(0);
    }
}

// ---- In the symbolizer.

static int start_keeper(struct worker *worker)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        run_keeper(pair[1]);
    int err = pid < 0 ? -errno : 0;
    close(pair[1]);
    if (err) {
        close(pair[0]);
        return err;
    }
    worker->control = pair[0];
    worker->keeper = pid;
    return 0;
}

static void stop_keeper(struct worker *worker)
{
    if (worker->control >= 0)
        close(worker->control);
    worker->control = -1;
    if (worker->keeper > 0)
        while (waitpid(worker->keeper, NULL, 0) < 0 && errno == EINTR)
            ;
    worker->keeper = 0;
}

int worker__new(struct worker **ret_worker)
{
    _cleanup_(worker__freep) struct worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return -ENOMEM;
    worker->control = -1;
    int err = start_keeper(worker);
    if (err)
        return err;
    *ret_worker = take_pointer(worker);
    return 0;
}

void worker__free(struct worker *worker)
{
    if (!worker)
        return;
    stop_keeper(worker);
    free(worker);
}

struct worker_usage worker__usage(const struct worker *worker)
{
    return worker->usage;
}

// Hands the job over; the socket is our end. A keeper that died is started again, once.
static int start_job(struct worker *worker, const struct job *job, const struct packet_fds *inputs, int *ret_socket)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -errno;
    struct packet_fds end = {{pair[1], -1}};
    int err = worker->control >= 0 ? packet__send(worker->control, job, sizeof(*job), &end) : -EPIPE;
    if (err == -EPIPE) {
        stop_keeper(worker);
        err = start_keeper(worker);
        if (!err)
            err = packet__send(worker->control, job, sizeof(*job), &end);
    }
    close(pair[1]);
    if (!err)
        err = packet__send(pair[0], &(char){0}, 1, inputs);
    if (err) {
        close(pair[0]);
        return err;
    }
    *ret_socket = pair[0];
    return 0;
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
    int32_t answer = request && request->open_companion
                         ? request->open_companion(request->context, companion, &fds.fds[0])
                         : -ENOENT;
    int err = packet__send(socket, &answer, sizeof(answer), &fds);
    packet__close(&fds);
    return err;
}

// Serves the worker until it is done.
static int follow_job(int socket, const struct naming_request *request, int *ret_fd)
{
    int64_t deadline_ms = packet__now_ms() + LIMIT_WORKER_WALL_MS;
    for (size_t asked = 0; asked <= LIMIT_COMPANIONS;) {
        struct reply reply;
        struct packet_fds fds;
        int err = packet__receive(socket, deadline_ms, &reply, sizeof(reply), &fds);
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
        if (reply.kind != REPLY_WANTS || serve_companion(socket, request, &reply) != 0)
            return -EBADMSG;
    }
    return -E2BIG;
}

static int run_job(struct worker *worker, const struct job *job, const struct packet_fds *inputs,
                   const struct naming_request *request, size_t limit_bytes, void **ret_bytes, size_t *ret_length)
{
    _cleanup_fd_ int socket = -1;
    _cleanup_fd_ int fd = -1;
    struct outcome outcome = {0};
    struct packet_fds none;
    int err = start_job(worker, job, inputs, &socket);
    if (err)
        return err;
    err = follow_job(socket, request, &fd);
    close(socket); // a worker that waits for us ends now
    socket = -1;
    // The keeper kills one that goes on; it answers in any case.
    int keeper_err = packet__receive(worker->control, packet__now_ms() + LIMIT_WORKER_WALL_MS + 5000, &outcome,
                                     sizeof(outcome), &none);
    if (keeper_err) {
        kill(worker->keeper, SIGKILL);
        stop_keeper(worker);
        return keeper_err == -EPIPE ? -ECHILD : keeper_err;
    }
    packet__close(&none);
    worker->usage = (struct worker_usage){outcome.cpu_us, outcome.peak_bytes};
    if (err)
        return err == -EPIPE ? (outcome.err ? outcome.err : -ECHILD) : err;
    return sealed__map(fd, limit_bytes, ret_bytes, ret_length);
}

int worker__index(struct worker *worker, const struct naming_request *request, void **ret_bytes, size_t *ret_length)
{
    _cleanup_fd_ int offsets_fd = -1;
    struct job job = {.kind = JOB_INDEX,
                      .complete = request->complete,
                      .symbols_only = request->symbols_only,
                      .count = request->count};
    int err = sealed__make("offsets", request->offsets, request->count * sizeof(*request->offsets), &offsets_fd);
    if (err)
        return err;
    struct packet_fds inputs = {{request->fd, offsets_fd}};
    return run_job(worker, &job, &inputs, request, LIMIT_INDEX_BYTES, ret_bytes, ret_length);
}

// Copies an answer of `count` strings out of its mapping; a worker that was taken over may have sent anything.
static int take_strings(void *bytes, size_t length, size_t count, char **ret_strings)
{
    size_t nuls = 0;
    for (const char *at = bytes; at && at < (const char *)bytes + length; at++)
        nuls += *at == '\0';
    bool is_sound = nuls == count && length > 0 && ((const char *)bytes)[length - 1] == '\0';
    char *strings = is_sound ? malloc(length) : NULL;
    if (strings)
        memcpy(strings, bytes, length);
    if (bytes)
        munmap(bytes, length);
    if (!strings)
        return is_sound ? -ENOMEM : -EBADMSG;
    *ret_strings = strings;
    return 0;
}

int worker__demangle(struct worker *worker, const struct buf *names, size_t count, char **ret_shown)
{
    _cleanup_fd_ int names_fd = -1;
    struct job job = {.kind = JOB_DEMANGLE, .count = count};
    void *bytes;
    size_t length;
    int err = sealed__make("names", names->data, names->length_bytes, &names_fd);
    if (err)
        return err;
    struct packet_fds inputs = {{names_fd, -1}};
    err = run_job(worker, &job, &inputs, NULL, LIMIT_ANSWER_BYTES, &bytes, &length);
    return err ? err : take_strings(bytes, length, count, ret_shown);
}

int worker__jit(struct worker *worker, enum jit_source source, int fd, const uint64_t *addresses, size_t count,
                char **ret_names)
{
    _cleanup_fd_ int addresses_fd = -1;
    struct job job = {.kind = JOB_JIT, .source = source, .count = count};
    void *bytes;
    size_t length;
    int err = sealed__make("addresses", addresses, count * sizeof(*addresses), &addresses_fd);
    if (err)
        return err;
    struct packet_fds inputs = {{fd, addresses_fd}};
    err = run_job(worker, &job, &inputs, NULL, LIMIT_ANSWER_BYTES, &bytes, &length);
    return err ? err : take_strings(bytes, length, 3 * count, ret_names);
}
