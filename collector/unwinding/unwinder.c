#include "collector/unwinding/unwinder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "collector/programs/mapped_files.h"
#include "collector/programs/shared_array.h"
#include "collector/unwinding/row_jobs.h"
#include "collector/unwinding/unwind_tables.h"
#include "store/base/clock.h"
#include "store/base/grow.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"
#include "store/system/priority.h"
#include "store/system/thread.h"
#include "symbolizer/elf/file_identity.h"

// A file that so many processes map is compiled before the first sample, however few of them are targets.
enum { WIDELY_MAPPED = 4 };

struct answer { // of one file
    struct wire_file file;
    struct wire_binary binary;
};

enum { PENDING_MAX = 32 };

struct unwinder {
    struct binaries *binaries;
    struct naming *naming;
    struct row_jobs *row_jobs;
    struct unwind_tables *tables;
    struct wire_unwind_control *control;
    int files_fd, guests_fd;
    uint64_t guests;        // bits of the kinds that are followed
    struct answer *answers; // those that have a table; the place of one that has lost it is taken by the last
    size_t answer_count, answer_capacity;
    size_t file_count;                  // entries of the map `files`, about
    struct answer pending[PENDING_MAX]; // to be told when their tables are in place
    size_t pending_count;
    struct id_map table_of;    // binary number -> table, while it has one; 0: had one
    struct mapped_files queue; // to be answered without a note
    size_t queue_taken;
    bool all_files, is_lowered;
    struct ring_buffer *notes;
    int stop_fd;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; // of totals
    struct unwinder_totals totals;
};

void unwinder__forget_mappings(struct unwinder *unwinder)
{
    __atomic_fetch_add(&unwinder->control->generation, 1, __ATOMIC_SEQ_CST);
}

// --- Answers

static void forget_file(struct unwinder *unwinder, const struct wire_file *file)
{
    bpf_map_delete_elem(unwinder->files_fd, file); // the next sample in it announces it again
}

// A table is about to go: the files that lead to it are as if never seen.
static void on_evict(uint32_t table, void *context)
{
    struct unwinder *unwinder = context;
    for (size_t i = 0; i < unwinder->pending_count; i++)
        if (unwinder->pending[i].binary.table == table) {
            forget_file(unwinder, &unwinder->pending[i].file);
            id_map__put(&unwinder->table_of, unwinder->pending[i].binary.binary, 0);
            unwinder->pending[i--] = unwinder->pending[--unwinder->pending_count];
        }
    for (size_t i = unwinder->answer_count; i-- > 0;) {
        struct answer *answer = &unwinder->answers[i];
        if (answer->binary.table != table)
            continue;
        forget_file(unwinder, &answer->file);
        id_map__put(&unwinder->table_of, answer->binary.binary, 0);
        *answer = unwinder->answers[--unwinder->answer_count];
    }
    unwinder__forget_mappings(unwinder);
}

static int remember_answer(struct unwinder *unwinder, const struct wire_file *file, const struct wire_binary *binary)
{
    if (GROW(unwinder->answers, unwinder->answer_capacity, unwinder->answer_count + 1) != 0)
        return -ENOMEM;
    unwinder->answers[unwinder->answer_count++] = (struct answer){.file = *file, .binary = *binary};
    return 0;
}

static void tell(struct unwinder *unwinder, const struct answer *answer)
{
    bool has_table = answer->binary.table && answer->binary.table != WIRE_TABLE_JIT;
    if ((has_table && remember_answer(unwinder, &answer->file, &answer->binary) != 0) ||
        bpf_map_update_elem(unwinder->files_fd, &answer->file, &answer->binary, BPF_ANY) != 0)
        forget_file(unwinder, &answer->file);
}

// Weeks of builds make and run more files than the map holds. Those still in use are announced again at their next
// sample, and their tables are still there.
static void forget_all_files(struct unwinder *unwinder)
{
    struct wire_file file;
    while (bpf_map_get_next_key(unwinder->files_fd, NULL, &file) == 0 &&
           bpf_map_delete_elem(unwinder->files_fd, &file) == 0)
        ;
    unwinder->answer_count = 0;
    unwinder->file_count = 0;
}

static void tell_pending(struct unwinder *unwinder)
{
    if (!unwinder->pending_count)
        return;
    if (unwinder->file_count >= WIRE_FILES_MAX * 3 / 4)
        forget_all_files(unwinder);
    unwinder->file_count += unwinder->pending_count;
    unwind_tables__settle(unwinder->tables);
    for (size_t i = 0; i < unwinder->pending_count; i++)
        tell(unwinder, &unwinder->pending[i]);
    unwinder->pending_count = 0;
    unwinder__forget_mappings(unwinder);
}

static void answer(struct unwinder *unwinder, const struct wire_file *file, struct wire_binary binary)
{
    unwinder->pending[unwinder->pending_count++] = (struct answer){.file = *file, .binary = binary};
    if (unwinder->pending_count == PENDING_MAX)
        tell_pending(unwinder);
}

// --- Tables

static void count_tables(struct unwinder *unwinder)
{
    pthread_mutex_lock(&unwinder->lock);
    unwinder->totals.tables = unwind_tables__count(unwinder->tables);
    unwinder->totals.table_bytes = unwind_tables__bytes(unwinder->tables);
    pthread_mutex_unlock(&unwinder->lock);
}

// Above WIRE_GUESTS_MAX binaries, the loop of another one stays native.
static void publish_guest(struct unwinder *unwinder, const struct binary *binary, const struct wire_guest *guest)
{
    if (guest->kind && unwinder->guests >> guest->kind & 1)
        bpf_map_update_elem(unwinder->guests_fd, &binary->number, guest, BPF_ANY);
}

// 0: none can be made of it.
static uint32_t publish(struct unwinder *unwinder, const struct binary *binary, const struct unwind_table *table)
{
    uint32_t number;
    if (!table || unwind_tables__publish(unwinder->tables, table, &number) != 0)
        return 0;
    publish_guest(unwinder, binary, &table->guest);
    count_tables(unwinder);
    id_map__put(&unwinder->table_of, binary->number, number);
    return number;
}

// The table of a binary; 0 where none can be made of it. -EINPROGRESS, -EBUSY: not now.
static int table_of(struct unwinder *unwinder, int fd, const struct binary *binary, const struct wire_file *file,
                    uint32_t *ret_number)
{
    if (id_map__get(&unwinder->table_of, binary->number, ret_number) && *ret_number)
        return 0;
    _cleanup_(unwind_table__freep) struct unwind_table *table = NULL;
    int err = row_jobs__get(unwinder->row_jobs, fd, binary, file, &table);
    if (err == -EINPROGRESS || err == -EBUSY)
        return err;
    *ret_number = publish(unwinder, binary, err ? NULL : table);
    return 0;
}

// --- Files

static bool is_vdso(const struct wire_file *file)
{
    return file->inode == 0 && file->device == 0 && file->generation == WIRE_VDSO_GENERATION;
}

static int identify(struct unwinder *unwinder, const struct wire_note *note, const char *path, int fd,
                    struct binary **ret_binary)
{
    struct file_identity contents;
    struct binary_identity identity = {.path = path, .file = note->file};
    if (is_vdso(&note->file))
        identity.file = (struct wire_file){0}; // as perf's records and /proc have it
    if (fd >= 0 && file_identity__read(fd, &contents) == 0)
        identity.contents = &contents;
    return binaries__get(unwinder->binaries, &identity, ret_binary);
}

// Of a file whose file system does not answer: frames read [FILE+0xOFFSET], and stacks end there.
static void answer_unread(struct unwinder *unwinder, const struct wire_note *note, const char *path)
{
    struct binary *binary;
    if (identify(unwinder, note, path, -1, &binary) != 0) {
        forget_file(unwinder, &note->file);
        return;
    }
    binaries__give_up(unwinder->binaries, binary);
    answer(unwinder, &note->file, (struct wire_binary){.binary = binary->number});
}

static void answer_note(struct unwinder *unwinder, const struct wire_note *note)
{
    char path[PATH_MAX] = "[vdso]";
    struct binary *binary;
    _cleanup_fd_ int fd = -1;
    int err = is_vdso(&note->file) ? 0 : mapped_file__open(note, path, sizeof(path), &fd);
    bool is_device = err == -EINVAL; // whose memory may hold code, but no file's
    if (!err)
        err = identify(unwinder, note, path, fd, &binary);
    if (err == -ETIMEDOUT) {
        answer_unread(unwinder, note, path);
        return;
    }
    if (err && !is_device) {
        forget_file(unwinder, &note->file);
        return;
    }
    if (is_device || binary->kind == STORE_BINARY_JIT) {
        answer(unwinder, &note->file, (struct wire_binary){.table = WIRE_TABLE_JIT});
        return;
    }
    binaries__adopt(unwinder->binaries, binary, (pid_t)note->tgid, fd);
    binaries__open(unwinder->binaries, binary, (pid_t)note->tgid, note->start, note->end);
    struct wire_binary known = {.binary = binary->number};
    err = table_of(unwinder, fd, binary, &note->file, &known.table);
    if (!err)
        answer(unwinder, &note->file, known);
    else if (err == -EBUSY)
        forget_file(unwinder, &note->file); // the next sample in it announces it again
}

// --- The thread

static void end_start(struct unwinder *unwinder)
{
    tell_pending(unwinder);
    row_jobs__give_back(unwinder->row_jobs);
    pthread_mutex_lock(&unwinder->lock);
    unwinder->totals.start_cpu_ns = clock__ns(CLOCK_THREAD_CPUTIME_ID);
    pthread_mutex_unlock(&unwinder->lock);
}

static void see_jit(struct unwinder *unwinder, const struct wire_note *note)
{
    struct jit_owner owner = {.tgid = note->tgid, .start_boot_ns = note->file.inode};
    unwinder->file_count++;
    naming__see_jit(unwinder->naming, &owner);
}

static int on_note(void *context, void *data, size_t bytes)
{
    struct unwinder *unwinder = context;
    const struct wire_note *note = data;
    if (bytes < sizeof(*note))
        return 0;
    if (note->kind == WIRE_NOTE_BINARY)
        answer_note(unwinder, note);
    else if (note->kind == WIRE_NOTE_JIT)
        see_jit(unwinder, note);
    return 0;
}

static bool answer_queued(struct unwinder *unwinder)
{
    if (unwinder->queue_taken == unwinder->queue.count)
        return false;
    const struct mapped_file *file = &unwinder->queue.files[unwinder->queue_taken++];
    struct wire_binary known;
    if ((file->is_active || unwinder->all_files) &&
        (bpf_map_lookup_elem(unwinder->files_fd, &file->note.file, &known) != 0 || !known.binary))
        answer_note(unwinder, &file->note);
    return true;
}

// Those whose rows took their time.
static void answer_late(struct unwinder *unwinder, const struct pollfd fds[ROW_JOBS_ASIDE])
{
    for (size_t i = 0; i < ROW_JOBS_ASIDE; i++) {
        struct row_job_done done;
        if (!fds[i].revents)
            continue;
        row_jobs__take(unwinder->row_jobs, i, &done);
        struct wire_binary known = {.binary = done.binary->number, .table = publish(unwinder, done.binary, done.table)};
        unwind_table__free(done.table);
        answer(unwinder, &done.file, known);
        tell_pending(unwinder);
    }
}

static void *run(void *context)
{
    struct unwinder *unwinder = context;
    struct pollfd fds[2 + ROW_JOBS_ASIDE] = {{.fd = unwinder->stop_fd, .events = POLLIN},
                                             {.fd = ring_buffer__epoll_fd(unwinder->notes), .events = POLLIN}};
    row_jobs__poll(unwinder->row_jobs, fds + 2);
    bool queued = true;
    prctl(PR_SET_NAME, "hearth-rows");
    if (unwinder->is_lowered)
        priority__lower();
    while (poll(fds, 2 + ROW_JOBS_ASIDE, queued ? 0 : -1) >= 0 || errno == EINTR) {
        if (fds[0].revents)
            break;
        answer_late(unwinder, fds + 2);
        if (fds[1].revents) {
            ring_buffer__consume(unwinder->notes);
            tell_pending(unwinder);
            if (!queued)
                row_jobs__give_back(unwinder->row_jobs);
        } else if (queued && !(queued = answer_queued(unwinder))) {
            end_start(unwinder);
        }
        row_jobs__poll(unwinder->row_jobs, fds + 2);
    }
    return NULL;
}

// --- From the start

// Answers for the files that are mapped now: the most mapped ones and those of the targets at once, those of other
// processes that run when the thread gets to them.
static void learn_what_runs(struct unwinder *unwinder, const struct unwinder_options *options)
{
    if (mapped_files__read(options->loader, options->first_tgids, options->first_tgid_count, &unwinder->queue) != 0)
        return; // no iterators (before 5.12): all is learned from notes
    for (size_t i = 0; i < unwinder->queue.count; i++) {
        const struct mapped_file *file = &unwinder->queue.files[i];
        if (file->processes >= WIDELY_MAPPED || file->is_wanted || is_vdso(&file->note.file))
            answer_note(unwinder, &file->note);
    }
    tell_pending(unwinder);
}

static int map_control(struct unwinder *unwinder, const struct loader *loader)
{
    void *control;
    int err = shared_array__map(loader__map_fd(loader, "unwind_control"), sizeof(*unwinder->control), &control);
    if (!err)
        unwinder->control = control;
    return err;
}

static int set_up(struct unwinder *unwinder, const struct unwinder_options *options)
{
    const struct loader *loader = options->loader;
    unwinder->files_fd = loader__map_fd(loader, "files");
    unwinder->guests_fd = loader__map_fd(loader, "guests");
    int err = map_control(unwinder, loader);
    if (!err)
        err = unwind_tables__new(loader, options->table_bytes_max, on_evict, unwinder, &unwinder->tables);
    if (err)
        return err;
    err = row_jobs__new(options->worker, options->cache_dir, &unwinder->row_jobs);
    if (err)
        return err;
    unwinder->notes = ring_buffer__new(loader__map_fd(loader, "notes"), on_note, unwinder, NULL);
    if (!unwinder->notes)
        return -errno;
    unwinder->stop_fd = eventfd(0, EFD_CLOEXEC);
    return unwinder->stop_fd < 0 ? -errno : 0;
}

int unwinder__new(const struct unwinder_options *options, struct fault *fault, struct unwinder **ret_unwinder)
{
    _cleanup_(unwinder__freep) struct unwinder *unwinder = calloc(1, sizeof(*unwinder));
    if (!unwinder)
        return fault__set(fault, -ENOMEM, "out of memory");
    pthread_mutex_init(&unwinder->lock, NULL);
    unwinder->binaries = options->binaries;
    unwinder->naming = options->naming;
    unwinder->all_files = options->all_files;
    unwinder->guests = options->guests;
    unwinder->is_lowered = options->is_lowered;
    unwinder->stop_fd = -1;
    int err = set_up(unwinder, options);
    if (!err) {
        learn_what_runs(unwinder, options);
        err = thread__start(run, unwinder, &unwinder->thread);
        unwinder->has_thread = !err;
    }
    if (err)
        return fault__set(fault, err, "cannot set up unwinding: %s", strerror(-err));
    *ret_unwinder = take_pointer(unwinder);
    return 0;
}

void unwinder__free(struct unwinder *unwinder)
{
    if (!unwinder)
        return;
    if (unwinder->has_thread) {
        uint64_t one = 1;
        if (write(unwinder->stop_fd, &one, sizeof(one)) == sizeof(one))
            pthread_join(unwinder->thread, NULL);
    }
    ring_buffer__free(unwinder->notes);
    unwind_tables__free(unwinder->tables);
    row_jobs__free(unwinder->row_jobs);
    mapped_files__release(&unwinder->queue);
    id_map__release(&unwinder->table_of);
    free(unwinder->answers);
    shared_array__unmap(unwinder->control, sizeof(*unwinder->control));
    fd__close(&unwinder->stop_fd);
    pthread_mutex_destroy(&unwinder->lock);
    free(unwinder);
}

uint64_t unwinder__cpu_ns(const struct unwinder *unwinder)
{
    clockid_t clock;
    return pthread_getcpuclockid(unwinder->thread, &clock) == 0 ? clock__ns(clock) : 0;
}

struct unwinder_totals unwinder__totals(struct unwinder *unwinder)
{
    pthread_mutex_lock(&unwinder->lock);
    struct unwinder_totals totals = unwinder->totals;
    pthread_mutex_unlock(&unwinder->lock);
    struct row_jobs_totals rows = row_jobs__totals(unwinder->row_jobs);
    totals.compiled = rows.compiled;
    totals.failed = rows.failed;
    return totals;
}
