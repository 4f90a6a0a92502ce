// The jobs with short answers: demangled names, names of JIT code, and lines of guests' code.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/base/limits.h"
#include "symbolizer/jail/sealed.h"
#include "symbolizer/worker/job.h"
#include "symbolizer/worker/worker.h"
#include "symbolizer/worker/worker_insides.h"

// Takes an answer of `count` strings out of its mapping; a worker that was taken over may have sent anything.
static int take_strings(void *bytes, size_t length, size_t count, struct buf *ret_strings)
{
    const char *at = bytes, *end = at + length;
    size_t nuls = 0;
    while (at && at < end && (at = memchr(at, 0, (size_t)(end - at)))) {
        at++;
        nuls++;
    }
    bool is_sound = nuls == count && at == end && length > 0;
    if (is_sound)
        buf__append(ret_strings, bytes, length);
    if (bytes)
        munmap(bytes, length);
    return !is_sound ? -EBADMSG : ret_strings->failed ? -ENOMEM : 0;
}

struct worker_names {
    size_t count;
    int fd;
    struct worker_job job;
};

int worker_names__begin(struct worker *worker, const char *names, size_t length, size_t count,
                        struct worker_names **ret_names)
{
    struct worker_names *running = calloc(1, sizeof(*running));
    struct job job = {.kind = JOB_DEMANGLE, .count = count};
    if (!running)
        return -ENOMEM;
    *running = (struct worker_names){.count = count, .fd = -1, .job = WORKER_JOB_NONE};
    int err = sealed__make("names", names, length, &running->fd);
    if (!err)
        err = worker_job__begin(worker, &job, SHARE_QUICK, LIMIT_ANSWER_BYTES, &(struct packet_fds){{running->fd, -1}},
                                &running->job);
    if (err)
        worker_names__free(running);
    else
        *ret_names = running;
    return err;
}

int worker_names__end(struct worker_names *names, struct buf *ret_shown)
{
    void *bytes;
    size_t length, before = ret_shown->length_bytes;
    int err = worker_job__end(&names->job, NULL, NULL, &bytes, &length);
    if (!err)
        err = take_strings(bytes, length, names->count, ret_shown);
    if (err)
        ret_shown->length_bytes = before;
    worker_names__free(names);
    return err;
}

void worker_names__free(struct worker_names *names)
{
    if (!names)
        return;
    worker_job__close(&names->job);
    fd__close(&names->fd);
    free(names);
}

int worker__jit(struct worker *worker, const struct worker_jit_request *request, struct worker_usage *ret_usage,
                char **ret_names, uint64_t *ret_end)
{
    _cleanup_fd_ int addresses_fd = -1;
    _cleanup_(buf__release) struct buf names = {0};
    struct job job = {.kind = JOB_JIT,
                      .source = request->source,
                      .is_last = request->is_last,
                      .from = request->from,
                      .count = request->count};
    struct worker_job running;
    void *bytes;
    size_t length;
    *ret_usage = (struct worker_usage){0};
    int err =
        sealed__make("addresses", request->addresses, request->count * sizeof(*request->addresses), &addresses_fd);
    if (!err)
        err = worker_job__begin(worker, &job, SHARE_QUICK, LIMIT_ANSWER_BYTES,
                                &(struct packet_fds){{request->fd, addresses_fd}}, &running);
    if (!err)
        err = worker_job__end(&running, NULL, ret_usage, &bytes, &length);
    if (!err)
        err = take_strings(bytes, length, 3 * request->count + 1, &names);
    if (err)
        return err;
    const char *end = (const char *)names.data + names.length_bytes - 1; // of the last string
    while (end > (const char *)names.data && end[-1])
        end--;
    *ret_end = strtoull(end, NULL, 10);
    *ret_names = (char *)take_pointer(names.data);
    return 0;
}

int worker__lines(struct worker *worker, const void *places, size_t length, size_t count, uint32_t *ret_lines)
{
    _cleanup_fd_ int places_fd = -1;
    struct worker_job running;
    void *lines = NULL;
    size_t made;
    int err = sealed__make("places", places, length, &places_fd);
    if (!err)
        err = worker_job__begin(worker, &(struct job){.kind = JOB_LINES, .count = count}, SHARE_QUICK,
                                LIMIT_ANSWER_BYTES, &(struct packet_fds){{places_fd, -1}}, &running);
    if (!err)
        err = worker_job__end(&running, NULL, NULL, &lines, &made);
    if (err)
        return err;
    bool is_sound = made == count * sizeof(*ret_lines);
    if (is_sound && made)
        memcpy(ret_lines, lines, made);
    if (lines)
        munmap(lines, made);
    return is_sound ? 0 : -EBADMSG;
}
