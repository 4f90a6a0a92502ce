// Workers that were taken over: whatever one does, its job fails within the limits, with a reason, and the next job is
// done. What a worker does is replaced here by one misdeed after the other; the first offset wanted says which.
#include "symbolizer/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "symbolizer/elf_file.h"
#include "symbolizer/sealed.h"
#include "symbolizer/symbolizer.h"
#include "symbolizer/worker_budget.h"

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

static int answer_with(int socket, int fd)
{
    struct reply reply = {.kind = REPLY_DONE};
    packet__send(socket, &reply, sizeof(reply), &(struct packet_fds){{fd, -1}});
    _exit(0);
}

static int ask(int socket, uint8_t fill)
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

static int misbehave(enum misdeed misdeed, int socket, const struct job *job, struct packet_fds *inputs,
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

static int run(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
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

static int start_with(const struct sandbox_limits *own_limits)
{
    struct worker_options options = {.limits = *own_limits, .run = run};
    self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return worker__new(&options, NULL, &worker);
}

static int start(void **state)
{
    (void)state;
    return start_with(&limits);
}

#if !defined(__SANITIZE_ADDRESS__) // of has_so_much_memory alone
// To touch so much memory may take longer than the CPU time of the others.
static int start_patient(void **state)
{
    struct sandbox_limits patient = limits;
    (void)state;
    patient.cpu_s = 30;
    return start_with(&patient);
}

static int start_as_always(void **state)
{
    (void)state;
    return start_with(&(struct sandbox_limits){0});
}
#endif

static int start_impatient(void **state)
{
    struct sandbox_limits impatient = limits;
    (void)state;
    impatient.wall_ms = 200;
    return start_with(&impatient);
}

static int stop(void **state)
{
    (void)state;
    worker__free(worker);
    worker = NULL;
    close(self);
    return 0;
}

static int open_none(void *context, const struct companion *companion, int *ret_fd)
{
    (void)context;
    (void)ret_fd;
    assert_true(strlen(companion->name) < sizeof(companion->name));
    assert_true(companion->build_id_bytes <= sizeof(companion->build_id));
    return -ENOENT;
}

static int do_job(uint64_t misdeed, struct worker_usage *ret_usage)
{
    struct naming_request request = {.fd = self, .offsets = &misdeed, .count = 1, .open_companion = open_none};
    void *bytes = NULL;
    size_t length = 0;
    int err = worker__index(worker, &request, ret_usage, &bytes, &length);
    if (!err && bytes)
        munmap(bytes, length);
    return err;
}

static void fails_with(uint64_t misdeed, int err)
{
    struct worker_usage usage;
    assert_int_equal(do_job(misdeed, &usage), err);
    assert_int_equal(do_job(SOUND, &usage), 0);
}

static void is_stopped_at_its_cpu_time(void **state)
{
    (void)state;
    struct worker_usage usage;
    assert_int_equal(do_job(SPIN, &usage), -ETIMEDOUT);
    // The kernel counts by ticks for the limit of 1 s, and exactly for the usage: on a busy machine these lie apart.
    assert_in_range(usage.cpu_us, 500000, 3000000);
    assert_int_equal(do_job(SOUND, &usage), 0);
}

static void is_stopped_at_its_wall_time(void **state)
{
    (void)state;
    struct worker_usage usage;
    assert_int_equal(do_job(WAIT, &usage), -ETIMEDOUT);
    assert_true(usage.cpu_us < 900000);
}

#if !defined(__SANITIZE_ADDRESS__) // whose shadow takes terabytes of addresses: there is no limit on them then
static void quick_jobs_have_less_memory(void **state)
{
    (void)state;
    struct worker_usage usage;
    uint64_t misdeed = EAT;
    struct naming_request request = {.fd = self, .offsets = &misdeed, .count = 1, .is_quick = true};
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(worker__index(worker, &request, &usage, &bytes, &length), -ENOMEM);
    assert_in_range(usage.peak_bytes, 16u << 20, LIMIT_QUICK_MEMORY_BYTES);
    assert_true(LIMIT_WORKERS_MEMORY_BYTES <= 1216ull << 20); // as limits.h says
}

static void has_so_much_memory(void **state)
{
    (void)state;
    struct worker_usage usage;
    assert_int_equal(do_job(EAT, &usage), -ENOMEM);
    assert_true(usage.peak_bytes <= limits.memory_bytes);
    assert_int_equal(do_job(SOUND, &usage), 0);
}
#endif

static void may_crash(void **state)
{
    (void)state;
    struct worker_usage usage;
    int err = do_job(CRASH, &usage);
    assert_true(err == -ECHILD || (IS_SANITIZED && err != 0)); // ASan exits with words
    assert_int_equal(do_job(SOUND, &usage), 0);
}

static void is_believed_in_sealed_memory_only(void **state)
{
    (void)state;
    fails_with(UNSEALED, -EPERM);
    fails_with(NO_MEMORY_FILE, -EPERM);
    fails_with(NO_FILE, -EPERM);
    fails_with(WRITE_TOO_MUCH, -ECHILD); // SIGXFSZ
}

static void is_not_believed_nonsense(void **state)
{
    (void)state;
    fails_with(ASK_FOR_EVER, -E2BIG);
    fails_with(LONG_STRINGS, 0);
    fails_with(NONSENSE, -EBADMSG);
    fails_with(ODD_ERROR, -EBADMSG);
}

// All processes below one, with its pid first.
static void kill_workers(pid_t keeper)
{
    char path[64];
    int pid;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", keeper, keeper);
    FILE *children = fopen(path, "re");
    while (children && fscanf(children, "%d", &pid) == 1) {
        struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
        kill(pid, SIGKILL);
        poll(&gone, 1, -1);
        close(gone.fd);
    }
    if (children)
        fclose(children);
}

static pid_t keeper_pid(void)
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

static int wait_to_open(void *context, const struct companion *companion, int *ret_fd)
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

static void *do_asked(void *context)
{
    struct asked *asked = context;
    struct naming_request request = {.fd = self,
                                     .offsets = &asked->misdeed,
                                     .count = 1,
                                     .is_quick = !asked->is_slow,
                                     .open_companion = wait_to_open,
                                     .context = asked};
    struct worker_usage usage;
    void *bytes = NULL;
    size_t length = 0;
    asked->err = worker__index(worker, &request, &usage, &bytes, &length);
    if (!asked->err && bytes)
        munmap(bytes, length);
    return NULL;
}

static pthread_t begin(struct asked *asked, uint64_t misdeed, bool is_slow)
{
    pthread_t thread;
    asked->misdeed = misdeed;
    asked->is_slow = is_slow;
    sem_init(&asked->asks, 0, 0);
    sem_init(&asked->go, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, do_asked, asked), 0);
    return thread;
}

static pthread_t begin_asked(struct asked *asked, uint64_t misdeed)
{
    pthread_t thread = begin(asked, misdeed, false);
    sem_wait(&asked->asks);
    return thread;
}

static int end_asked(struct asked *asked, pthread_t thread)
{
    pthread_join(thread, NULL);
    sem_destroy(&asked->asks);
    sem_destroy(&asked->go);
    return asked->err;
}

// The first ends only when the second has: one after the other they would never.
static void does_several_jobs_at_once(void **state)
{
    (void)state;
    struct asked first, second;
    struct worker_usage usage;
    pthread_t first_thread = begin_asked(&first, ASK_ONCE), second_thread = begin_asked(&second, ASK_ONCE);
    assert_int_equal(do_job(SOUND, &usage), 0);
    sem_post(&second.go);
    assert_int_equal(end_asked(&second, second_thread), 0);
    sem_post(&first.go);
    assert_int_equal(end_asked(&first, first_thread), 0);
}

// They may have much memory; a quick one does not wait for them.
static void does_one_slow_job_at_a_time(void **state)
{
    (void)state;
    struct asked first, second, quick;
    pthread_t first_thread = begin(&first, ASK_ONCE, true);
    sem_wait(&first.asks);
    pthread_t second_thread = begin(&second, ASK_ONCE, true);
    pthread_t quick_thread = begin_asked(&quick, ASK_ONCE);
    sem_post(&quick.go);
    assert_int_equal(end_asked(&quick, quick_thread), 0);
    assert_int_equal(sem_trywait(&second.asks), -1);
    sem_post(&first.go);
    assert_int_equal(end_asked(&first, first_thread), 0);
    sem_post(&second.go);
    assert_int_equal(end_asked(&second, second_thread), 0);
}

// Processes below the keeper that are nice 19, of SCHED_BATCH and of the idle class of I/O.
static int count_lowered(void)
{
    char path[64];
    int pid, count = 0;
    pid_t keeper = keeper_pid();
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", keeper, keeper);
    FILE *children = fopen(path, "re");
    assert_non_null(children);
    while (fscanf(children, "%d", &pid) == 1) {
        bool is_idle = IOPRIO_PRIO_CLASS(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid)) == IOPRIO_CLASS_IDLE;
        count += getpriority(PRIO_PROCESS, (id_t)pid) == 19 && sched_getscheduler(pid) == SCHED_BATCH && is_idle;
    }
    fclose(children);
    return count;
}

static void names_at_the_lowest_priority(void **state)
{
    (void)state;
    struct asked asked;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    assert_int_equal(count_lowered(), 0); // unless it is asked for
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), 0);
    worker__lower(worker);
    thread = begin_asked(&asked, ASK_ONCE);
    assert_int_equal(count_lowered(), 1);
    if (geteuid() == 0) { // others may not raise it
        worker__raise(worker);
        assert_int_equal(count_lowered(), 0);
    }
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), 0);
}

static void an_owner_has_so_much_cpu_time(void **state)
{
    (void)state;
    const uint64_t s = 1000000, root = 0, user = 1000, other = 1001;
    struct worker_budget budget;
    worker_budget__init(&budget);
    worker_budget__charge(&budget, user, false, 0, (LIMIT_OWNER_CPU_S - 1) * s, false);
    assert_int_equal(worker_budget__check(&budget, user, false, 0), 0);
    worker_budget__charge(&budget, user, false, 0, s, false);
    assert_int_equal(worker_budget__check(&budget, user, false, 0), -EDQUOT);
    assert_int_equal(worker_budget__check(&budget, user, true, 0), 0);   // rows are apart
    assert_int_equal(worker_budget__check(&budget, other, false, 0), 0); // as others are
    assert_int_equal(worker_budget__check(&budget, user, false, (LIMIT_OWNER_REST + 1) * s), 0);
    worker_budget__charge(&budget, other, false, 0, LIMIT_OWNER_CPU_S * s / LIMIT_OWNER_FAILED, true);
    assert_int_equal(worker_budget__check(&budget, other, false, 0), -EDQUOT);
    worker_budget__charge(&budget, root, false, 0, LIMIT_OWNER_CPU_S * s, false);
    assert_int_equal(worker_budget__check(&budget, root, false, 0), 0);
    pthread_mutex_destroy(&budget.lock);
}

// However many owners there are (a FUSE mount each, say), together they cannot spend without end.
static void owners_beyond_the_table_share(void **state)
{
    (void)state;
    struct worker_budget budget;
    worker_budget__init(&budget);
    for (uint64_t owner = 1; owner < 2 * LIMIT_OWNERS; owner++)
        worker_budget__charge(&budget, owner, false, 0, LIMIT_OWNER_CPU_S * UINT64_C(1000000), false);
    assert_int_equal(worker_budget__check(&budget, 4 * LIMIT_OWNERS, false, 0), -EDQUOT);
    pthread_mutex_destroy(&budget.lock);
}

static void may_be_killed_by_others(void **state)
{
    (void)state;
    struct asked asked;
    struct worker_usage usage;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    kill_workers(keeper_pid()); // and the one that waits for the next job
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), -ECHILD);
    assert_int_equal(do_job(SOUND, &usage), 0);
}

// It is no fault of the binary's when the keeper is killed: it is tried again.
static void outlives_its_keeper(void **state)
{
    (void)state;
    struct asked asked;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    kill(keeper_pid(), SIGKILL);
    sem_post(&asked.go);
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), 0);
}

static void is_the_first_to_go_without_memory(void **state)
{
    (void)state;
    char path[64];
    int score = 0;
    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", keeper_pid()); // which its workers inherit
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &score), 1);
    fclose(file);
    assert_int_equal(score, 1000);
}

static void rows_outlive_their_keeper(void **state)
{
    (void)state;
    struct worker_rows *rows;
    struct unwind_table *table = NULL;
    kill(keeper_pid(), SIGSTOP); // the job waits in its socket
    assert_int_equal(worker_rows__begin(worker, self, &rows), 0);
    kill(keeper_pid(), SIGKILL);
    assert_int_equal(worker_rows__end(rows, &table), 0);
    assert_true(table->word_count > 0);
    unwind_table__free(table);
}

static void does_without_a_stopped_keeper(void **state)
{
    (void)state;
    struct worker_usage usage;
    int64_t start_ms = packet__now_ms();
    kill(keeper_pid(), SIGSTOP);
    assert_int_equal(do_job(SOUND, &usage), 0);
    assert_true(packet__now_ms() - start_ms < limits.wall_ms / 2); // long before the job's time is up
    kill(keeper_pid(), SIGSTOP);                                   // and is stopped, with the end of this test
}

static void is_cancelled(void **state)
{
    (void)state;
    struct asked asked;
    struct worker_usage usage;
    pthread_t thread = begin_asked(&asked, ASK_ONCE);
    worker__cancel(worker);
    sem_post(&asked.go);
    assert_int_equal(end_asked(&asked, thread), -ECANCELED);
    assert_int_equal(do_job(SOUND, &usage), -ECANCELED);
}

// ---- What it costs: that binary's names.

struct answer {
    size_t calls, named;
};

static void take(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct answer *answer = context;
    (void)index;
    (void)chain;
    answer->calls++;
    answer->named += length > 0;
}

static int copy_of(int fd)
{
    uint8_t block[4096];
    int copy = memfd_create("copy", MFD_CLOEXEC);
    ssize_t got;
    for (off_t at = 0; (got = pread(fd, block, sizeof(block), at)) > 0; at += got)
        assert_int_equal(write(copy, block, (size_t)got), got);
    return copy;
}

static int resolve(struct symbolizer *symbolizer, int fd, uint64_t offset, struct answer *ret_answer)
{
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = ""};
    *ret_answer = (struct answer){0};
    return symbolizer__resolve_file(symbolizer, &file, &offset, 1, take, ret_answer);
}

static void a_binary_loses_its_own_names_once(void **state)
{
    (void)state;
    static const struct {
        enum misdeed misdeed;
        int err;
    } cases[] = {{SPIN, -ETIMEDOUT},    {CRASH, -ECHILD},   {RANDOM_BYTES, -EBADMSG},
                 {CUT_INDEX, -EBADMSG}, {UNSEALED, -EPERM}, {NO_MEMORY_FILE, -EPERM}};
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker};
    struct answer answer;
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = copy_of(self);
        int err = resolve(symbolizer, fd, cases[i].misdeed, &answer);
        assert_true(err == cases[i].err || (IS_SANITIZED && cases[i].misdeed == CRASH && err < 0));
        assert_int_equal(answer.calls, 1);
        assert_int_equal(answer.named, 0);
        assert_int_equal(symbolizer__counts(symbolizer).failed, i + 1);
        uint64_t jobs = symbolizer__counts(symbolizer).jobs;
        assert_int_equal(resolve(symbolizer, fd, cases[i].misdeed, &answer), err);
        assert_int_equal(symbolizer__counts(symbolizer).jobs, jobs); // not tried again
        assert_int_equal(write(fd, "changed", 7), 7);
        assert_int_equal(resolve(symbolizer, fd, 0x40, &answer), 0); // until it changes
        close(fd);
    }
    symbolizer__free(symbolizer);
}

static void a_binary_keeps_its_symbol_table(void **state)
{
    (void)state;
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker};
    struct answer answer;
    int fd = copy_of(self);
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(resolve(symbolizer, fd, SPIN | WITH_DWARF_ONLY, &answer), 0);
    assert_int_equal(symbolizer__counts(symbolizer).fallbacks, 1);
    assert_int_equal(symbolizer__counts(symbolizer).failed, 0);
    symbolizer__free(symbolizer);
    close(fd);
}

// As if the version of its first unit were one to come: our own reader refuses it.
static int odd_copy_of(int fd)
{
    static const uint8_t version[] = {9, 0};
    struct elf_file *file;
    int copy = copy_of(fd);
    assert_int_equal(elf_file__open(copy, &file), 0);
    const struct elf_section *info = elf_file__find(file, ".debug_info");
    assert_non_null(info);
    assert_int_equal(pwrite(copy, version, sizeof(version), (off_t)info->file_offset + 4), sizeof(version));
    elf_file__free(file);
    return copy;
}

// Of 512 places in its code.
static size_t count_named(struct symbolizer *symbolizer, int fd)
{
    struct elf_file *file;
    struct answer answer;
    size_t named = 0;
    assert_int_equal(elf_file__open(fd, &file), 0);
    const struct elf_section *text = elf_file__find(file, ".text");
    assert_non_null(text);
    for (uint64_t i = 0; i < 512; i++)
        if (resolve(symbolizer, fd, text->file_offset + text->bytes / 512 * i, &answer) == 0)
            named += answer.named;
    elf_file__free(file);
    return named;
}

// Whatever happens to libdw, what our own reader has found stays, and the loss is counted.
static void libdw_costs_nothing_of_ours(void **state)
{
    (void)state;
    static const enum misdeed misdeeds[] = {SPIN, CRASH, EAT, RANDOM_BYTES, NO_FILE};
    for (size_t i = 0; i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++) {
        struct symbolizer *symbolizer;
        struct symbolizer_options options = {.worker = worker};
        struct answer answer;
        int fd = odd_copy_of(self);
        assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
        assert_int_equal(resolve(symbolizer, fd, misdeeds[i] | WITH_LIBDW_ONLY, &answer), 0);
        assert_int_equal(symbolizer__counts(symbolizer).jobs, 2);
        assert_int_equal(symbolizer__counts(symbolizer).fallbacks, 1);
        assert_int_equal(symbolizer__counts(symbolizer).failed, 0);
        assert_true(count_named(symbolizer, fd) > 10);
        assert_int_equal(symbolizer__counts(symbolizer).jobs, 2);
        symbolizer__free(symbolizer);
        close(fd);
    }
}

static void libdw_reads_what_crashes_ours(void **state)
{
    (void)state;
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker};
    struct answer answer;
    int fd = copy_of(self);
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(resolve(symbolizer, fd, CRASH | WITH_OURS_ONLY, &answer), 0);
    assert_int_equal(symbolizer__counts(symbolizer).jobs, 2);
    assert_int_equal(symbolizer__counts(symbolizer).fallbacks, 0);
    assert_true(count_named(symbolizer, fd) > 10);
    symbolizer__free(symbolizer);
    close(fd);
}

static void leaves(uint64_t misdeed)
{
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker, .is_quick = true};
    struct answer answer;
    int fd = copy_of(self);
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(resolve(symbolizer, fd, misdeed | WITH_DWARF_ONLY, &answer), -EAGAIN);
    assert_int_equal(answer.calls, 0);
    assert_int_equal(symbolizer__counts(symbolizer).failed, 0);
    symbolizer__free(symbolizer);
    close(fd);
}

static void a_quick_symbolizer_leaves_what_is_slow(void **state)
{
    (void)state;
    leaves(SPIN);
}

#if !defined(__SANITIZE_ADDRESS__)
static void a_quick_symbolizer_leaves_what_is_large(void **state)
{
    (void)state;
    leaves(EAT);
}
#endif

// ---- Where there can be no worker.

static int refuse(int call)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    int err = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), call, 0);
    if (!err)
        err = seccomp_load(context);
    seccomp_release(context);
    return err;
}

static void says_what_is_refused(void **state)
{
    (void)state;
    static const int calls[] = {SCMP_SYS(seccomp), SCMP_SYS(capset)};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            struct fault fault = {0};
            struct worker *none;
            if (refuse(calls[i]) != 0)
                _exit(2);
            int err = worker__new(NULL, &fault, &none);
            _exit(err == -EPERM && fault.code == EXIT_CODE_LACKS && strstr(fault.text, "seccomp") ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_stopped_at_its_cpu_time, start, stop),
        cmocka_unit_test_setup_teardown(is_stopped_at_its_wall_time, start_impatient, stop),
#if !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test_setup_teardown(quick_jobs_have_less_memory, start_as_always, stop),
        cmocka_unit_test_setup_teardown(has_so_much_memory, start_patient, stop),
#endif
        cmocka_unit_test_setup_teardown(may_crash, start, stop),
        cmocka_unit_test_setup_teardown(is_believed_in_sealed_memory_only, start, stop),
        cmocka_unit_test_setup_teardown(is_not_believed_nonsense, start, stop),
        cmocka_unit_test_setup_teardown(does_several_jobs_at_once, start, stop),
        cmocka_unit_test_setup_teardown(does_one_slow_job_at_a_time, start, stop),
        cmocka_unit_test_setup_teardown(names_at_the_lowest_priority, start, stop),
        cmocka_unit_test(an_owner_has_so_much_cpu_time),
        cmocka_unit_test(owners_beyond_the_table_share),
        cmocka_unit_test_setup_teardown(may_be_killed_by_others, start, stop),
        cmocka_unit_test_setup_teardown(outlives_its_keeper, start, stop),
        cmocka_unit_test_setup_teardown(is_the_first_to_go_without_memory, start, stop),
        cmocka_unit_test_setup_teardown(rows_outlive_their_keeper, start, stop),
        cmocka_unit_test_setup_teardown(does_without_a_stopped_keeper, start, stop),
        cmocka_unit_test_setup_teardown(is_cancelled, start, stop),
        cmocka_unit_test_setup_teardown(a_binary_loses_its_own_names_once, start, stop),
        cmocka_unit_test_setup_teardown(a_binary_keeps_its_symbol_table, start, stop),
        cmocka_unit_test_setup_teardown(libdw_costs_nothing_of_ours, start, stop),
        cmocka_unit_test_setup_teardown(libdw_reads_what_crashes_ours, start, stop),
        cmocka_unit_test_setup_teardown(a_quick_symbolizer_leaves_what_is_slow, start, stop),
#if !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test_setup_teardown(a_quick_symbolizer_leaves_what_is_large, start_patient, stop),
#endif
        cmocka_unit_test(says_what_is_refused),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
