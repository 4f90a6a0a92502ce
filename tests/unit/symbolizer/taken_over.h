// Workers that were taken over: they do a misdeed in place of the job, and the first offset wanted says which.
// Whichever it is, the job fails within its limits, with a reason, and the next job is done.
#ifndef HEARTH_TESTS_UNIT_SYMBOLIZER_TAKEN_OVER_H
#define HEARTH_TESTS_UNIT_SYMBOLIZER_TAKEN_OVER_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/jail/sealed.h"
#include "symbolizer/worker/worker.h"

enum misdeed {
    SOUND = 0, // no misdeed: the real job
    SPIN,
    WAIT,
    EAT,
    CRASH,
    RANDOM_BYTES,
    CUT_INDEX,
    UNSEALED,
    NO_MEMORY_FILE,
    NO_FILE,
    WRITE_TOO_MUCH,
    ASK_FOR_EVER,
    LONG_STRINGS,
    NONSENSE,
    ODD_ERROR,
    ASK_ONCE,
    MISDEEDS,
    WITH_DWARF_ONLY = 0x100, // flags: sound when asked for the symbol table alone,
    WITH_LIBDW_ONLY = 0x200, // sound when libdw is not asked,
    WITH_OURS_ONLY = 0x400,  // sound when our own reader is not asked
};

#if defined(__SANITIZE_ADDRESS__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static inline int answer_with(int socket, int fd)
{
    struct reply reply = {.kind = REPLY_DONE};
    packet__send(socket, &reply, sizeof(reply), &(struct packet_fds){{fd, -1}});
    _exit(0);
}

static inline int ask(int socket, uint8_t fill)
{
    struct reply reply = {.kind = REPLY_WANTS, .companion.kind = COMPANION_DWO};
    struct packet_fds fds;
    int32_t answer;
    memset(reply.companion.name, fill, sizeof(reply.companion.name));
    memset(reply.companion.folder, fill, sizeof(reply.companion.folder));
    reply.companion.build_id_bytes = fill ? UINT32_MAX : 0;
    int err = packet__send(socket, &reply, sizeof(reply), NULL);
    if (!err)
        err = packet__receive(socket, -1, &answer, sizeof(answer), &fds);
    packet__close(&fds);
    return err;
}

static inline int misbehave(enum misdeed misdeed, int socket, const struct job *job, struct packet_fds *inputs,
                            struct helper *helper, struct buf *ret_made)
{
    int fd;
    switch (misdeed) {
    case SPIN:
        for (volatile unsigned i = 0;; i++)
            ;
    case WAIT:
        return packet__receive(socket, -1, &fd, sizeof(fd), inputs);
    case EAT:
        for (char *eaten; (eaten = malloc(16u << 20));)
            memset(eaten, 1, 16u << 20);
        return -ENOMEM;
    case CRASH:
        raise(SIGSEGV); // refused, as every signal
        __builtin_trap();
    case RANDOM_BYTES:
        for (unsigned i = 0; i < 10000; i++)
            buf__append_byte(ret_made, (uint8_t)(i * 2654435761u >> 13));
        return 0;
    case CUT_INDEX: {
        int err = job__run(socket, job, inputs, helper, ret_made);
        ret_made->length_bytes = ret_made->length_bytes * 2 / 3;
        return err;
    }
    case UNSEALED:
        fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return write(fd, "abc", 3) == 3 ? answer_with(socket, fd) : -EIO;
    case NO_MEMORY_FILE:
        return answer_with(socket, inputs->fds[0]);
    case NO_FILE:
        return answer_with(socket, socket);
    case WRITE_TOO_MUCH:
        for (size_t done = 0; done <= job->limits.answer_bytes && !ret_made->failed; done += 4096)
            buf__append(ret_made, (char[4096]){1}, 4096);
        return 0;
    case ASK_FOR_EVER:
        while (ask(socket, 0) == 0)
            ;
        return -EIO;
    case LONG_STRINGS:
        return ask(socket, 'x') == 0 ? job__run(socket, job, inputs, helper, ret_made) : -EIO;
    case NONSENSE:
        return packet__send(socket, "hello", 5, NULL);
    case ODD_ERROR:
        return 123456;
    case ASK_ONCE:
        return ask(socket, 0) == 0 ? job__run(socket, job, inputs, helper, ret_made) : -EIO;
    default:
        return job__run(socket, job, inputs, helper, ret_made);
    }
}

static inline int run(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                      struct buf *ret_made)
{
    void *offsets;
    size_t length;
    uint64_t misdeed = SOUND;
    if (job->kind == JOB_INDEX && sealed__map(inputs->fds[1], SIZE_MAX / 2, &offsets, &length) == 0 && length >= 8)
        misdeed = *(uint64_t *)offsets;
    if (misdeed & WITH_DWARF_ONLY && job->reader == NAMING_BY_NOBODY)
        misdeed = SOUND;
    if (misdeed & WITH_LIBDW_ONLY && job->reader != NAMING_BY_BOTH)
        misdeed = SOUND;
    if (misdeed & WITH_OURS_ONLY && job->reader != NAMING_BY_OUR_OWN)
        misdeed = SOUND;
    misdeed &= 0xff;
    return misbehave(misdeed < MISDEEDS ? (enum misdeed)misdeed : SOUND, socket, job, inputs, helper, ret_made);
}

static const struct sandbox_limits limits = {
    .memory_bytes = 256u << 20, .answer_bytes = 16u << 20, .cpu_s = 1, .wall_ms = 60000};
static struct worker *worker;
static int self = -1;

static inline int start_with(const struct sandbox_limits *own_limits)
{
    struct worker_options options = {.limits = *own_limits, .run = run};
    self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return worker__new(&options, NULL, &worker);
}

static inline int start(void **state)
{
    (void)state;
    return start_with(&limits);
}

// To touch so much memory may take longer than the CPU time of the others.
static inline int start_patient(void **state)
{
    struct sandbox_limits patient = limits;
    (void)state;
    patient.cpu_s = 30;
    return start_with(&patient);
}

static inline int stop(void **state)
{
    (void)state;
    worker__free(worker);
    worker = NULL;
    close(self);
    return 0;
}

static inline int open_none(void *context, const struct companion *companion, int *ret_fd)
{
    (void)context;
    (void)ret_fd;
    assert_true(strlen(companion->name) < sizeof(companion->name));
    assert_true(companion->build_id_bytes <= sizeof(companion->build_id));
    return -ENOENT;
}

static inline int do_job(uint64_t misdeed, struct worker_usage *ret_usage)
{
    struct naming_request request = {.fd = self, .offsets = &misdeed, .count = 1, .companions.open = open_none};
    void *bytes = NULL;
    size_t length = 0;
    int err = worker__index(worker, &request, ret_usage, &bytes, &length);
    if (!err && bytes)
        munmap(bytes, length);
    return err;
}

static inline pid_t keeper_pid(void)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    FILE *children = fopen(path, "re");
    assert_int_equal(fscanf(children, "%d", &pid), 1);
    fclose(children);
    return pid;
}

struct asked { // a job that waits in its companion until it is told
    sem_t asks, go;
    bool is_slow;
    uint64_t misdeed;
    int err;
};

static inline int wait_to_open(void *context, const struct companion *companion, int *ret_fd)
{
    struct asked *asked = context;
    struct timespec limit;
    (void)companion;
    (void)ret_fd;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    sem_post(&asked->asks);
    return sem_timedwait(&asked->go, &limit) == 0 ? -ENOENT : -ETIMEDOUT;
}

static inline void *do_asked(void *context)
{
    struct asked *asked = context;
    struct naming_request request = {.fd = self,
                                     .offsets = &asked->misdeed,
                                     .count = 1,
                                     .is_quick = !asked->is_slow,
                                     .companions = {wait_to_open, asked}};
    struct worker_usage usage;
    void *bytes = NULL;
    size_t length = 0;
    asked->err = worker__index(worker, &request, &usage, &bytes, &length);
    if (!asked->err && bytes)
        munmap(bytes, length);
    return NULL;
}

static inline pthread_t begin(struct asked *asked, uint64_t misdeed, bool is_slow)
{
    pthread_t thread;
    asked->misdeed = misdeed;
    asked->is_slow = is_slow;
    sem_init(&asked->asks, 0, 0);
    sem_init(&asked->go, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, do_asked, asked), 0);
    return thread;
}

static inline pthread_t begin_asked(struct asked *asked, uint64_t misdeed)
{
    pthread_t thread = begin(asked, misdeed, false);
    sem_wait(&asked->asks);
    return thread;
}

static inline int end_asked(struct asked *asked, pthread_t thread)
{
    pthread_join(thread, NULL);
    sem_destroy(&asked->asks);
    sem_destroy(&asked->go);
    return asked->err;
}

#endif
