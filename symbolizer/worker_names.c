// The jobs whose answers are strings: demangled names, and names of JIT code.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/base/limits.h"
#include "symbolizer/job.h"
#include "symbolizer/sealed.h"
#include "symbolizer/worker.h"
#include "symbolizer/worker_insides.h"

// Names that make a worker of their own worth its fork: some 4 ms of demangling.
#define PART_NAMES 2048

// One stays for whoever needs rows meanwhile.
#define PARTS (LIMIT_WORKERS - 1)

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

struct part { // of names that are demangled
    size_t at, length, count;
    int fd;
    struct worker_job job;
};

static size_t share_out(const char *names, size_t length, size_t count, struct part parts[PARTS])
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = cpus > 1 && (size_t)cpus < PARTS ? (size_t)cpus : cpus > 1 ? PARTS : 1, used = 0;
    size_t wanted = count / PART_NAMES < 1 ? 1 : count / PART_NAMES < most ? count / PART_NAMES : most;
    for (size_t at = 0; at < length; used++) {
        size_t end = used + 1 < wanted ? length / wanted * (used + 1) : length;
        parts[used] = (struct part){.at = at, .fd = -1, .job = WORKER_JOB_NONE};
        for (; at < end && parts[used].count < count; parts[used].count++)
            at += strlen(names + at) + 1;
        parts[used].length = at - parts[used].at;
    }
    return used;
}

static int begin_part(struct worker *worker, const char *names, struct part *part)
{
    struct job job = {.kind = JOB_DEMANGLE, .count = part->count};
    int err = sealed__make("names", names + part->at, part->length, &part->fd);
    return err ? err
               : worker_job__begin(worker, &job, true, LIMIT_ANSWER_BYTES, &(struct packet_fds){{part->fd, -1}},
                                   &part->job);
}

static int end_part(struct part *part, struct buf *ret_shown)
{
    void *bytes;
    size_t length;
    int err = worker_job__end(&part->job, NULL, NULL, &bytes, &length);
    return err ? err : take_strings(bytes, length, part->count, ret_shown);
}

int worker__demangle(struct worker *worker, const char *names, size_t length, size_t count, struct buf *ret_shown)
{
    struct part parts[PARTS];
    size_t used = share_out(names, length, count, parts), before = ret_shown->length_bytes;
    int err = 0;
    for (size_t i = 0; i < used && !err; i++)
        err = begin_part(worker, names, &parts[i]);
    for (size_t i = 0; i < used && !err; i++)
        err = end_part(&parts[i], ret_shown);
    for (size_t i = 0; i < used; i++) {
        worker_job__close(&parts[i].job);
        fd__close(&parts[i].fd);
    }
    if (err)
        ret_shown->length_bytes = before;
    return err;
}

int worker__jit(struct worker *worker, enum jit_source source, int fd, const uint64_t *addresses, size_t count,
                char **ret_names)
{
    _cleanup_fd_ int addresses_fd = -1;
    _cleanup_(buf__release) struct buf names = {0};
    struct job job = {.kind = JOB_JIT, .source = source, .count = count};
    struct worker_job running;
    void *bytes;
    size_t length;
    int err = sealed__make("addresses", addresses, count * sizeof(*addresses), &addresses_fd);
    if (!err)
        err = worker_job__begin(worker, &job, true, LIMIT_ANSWER_BYTES, &(struct packet_fds){{fd, addresses_fd}},
                                &running);
    if (!err)
        err = worker_job__end(&running, NULL, NULL, &bytes, &length);
    if (!err)
        err = take_strings(bytes, length, 3 * count, &names);
    if (!err)
        *ret_names = (char *)take_pointer(names.data);
    return err;
}
