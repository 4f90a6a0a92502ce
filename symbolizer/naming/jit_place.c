#include "symbolizer/naming/jit_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/jit/jit_dump.h"
#include "symbolizer/opening/foreign_file.h"
#include "symbolizer/worker/worker.h"

#define NS_PER_SECOND 1000000000ull

static int read_text(int folder_fd, const char *name, char *text, size_t text_bytes)
{
    _cleanup_fd_ int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, text_bytes - 1);
    if (length <= 0)
        return -ESRCH;
    text[length] = '\0';
    return 0;
}

// "PID (COMM) STATE PPID ... STARTTIME VSIZE RSS RSSLIM STARTCODE ENDCODE STARTSTACK": fields 4, 22 and 28; the comm
// may hold anything, so the last ')' ends it.
static int read_stat(int process_fd, struct jit_place *place)
{
    char text[1024];
    int err = read_text(process_fd, "stat", text, sizeof(text));
    const char *bracket = err ? NULL : strrchr(text, ')');
    unsigned long long ticks, stack;
    int parent;
    if (!bracket ||
        sscanf(bracket + 1,
               " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu %*u %*d %*u "
               "%*u %*u %llu",
               &parent, &ticks, &stack) != 3)
        return -ESRCH;
    place->parent = parent;
    place->start_boot_ns = ticks * (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
    place->start_stack = stack;
    return 0;
}

static int read_status(int process_fd, struct jit_place *place)
{
    char text[4096];
    int err = read_text(process_fd, "status", text, sizeof(text));
    if (err)
        return err;
    const char *uids = strstr(text, "\nUid:\t"), *pids = strstr(text, "\nNSpid:\t");
    if (!uids ||
        sscanf(uids, "\nUid:\t%u\t%u\t%u\t%u", &place->uids[0], &place->uids[1], &place->uids[2], &place->uids[3]) != 4)
        return -ESRCH;
    // "NSpid:\tOUTER\tINNER"
    place->inner_pid = place->pid;
    for (const char *at = pids ? pids + 7 : NULL; at && *at == '\t'; at += strcspn(at + 1, "\t\n") + 1)
        place->inner_pid = (pid_t)strtol(at + 1, NULL, 10);
    return 0;
}

int jit_place__open(pid_t pid, struct jit_place *ret_place)
{
    struct jit_place place = JIT_PLACE_NONE;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d", pid);
    _cleanup_fd_ int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return -ESRCH;
    place.pid = pid;
    int err = read_stat(process, &place);
    if (!err)
        err = read_status(process, &place);
    if (err)
        return err;
    _cleanup_fd_ int root = -1;
    if (foreign_file__open_root(pid, &root) == 0)
        foreign_file__open_folder(root, "tmp", &place.tmp_fd);
    *ret_place = place;
    return 0;
}

int jit_place__open_ended(pid_t pid, uint64_t start_boot_ns, uid_t uid, struct jit_place *ret_place)
{
    struct jit_place place = JIT_PLACE_NONE;
    place.tmp_fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place.tmp_fd < 0)
        return -errno;
    place.pid = place.inner_pid = pid;
    place.start_boot_ns = start_boot_ns;
    for (size_t i = 0; i < sizeof(place.uids) / sizeof(place.uids[0]); i++)
        place.uids[i] = uid;
    *ret_place = place;
    return 0;
}

void jit_place__close(struct jit_place *place)
{
    fd__close(&place->tmp_fd);
    for (int source = 0; source < JIT_SOURCES; source++)
        fd__close(&place->files[source].fd);
    *place = JIT_PLACE_NONE;
}

bool jit_place__is_alive(const struct jit_place *place)
{
    struct jit_place now = JIT_PLACE_NONE;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d", place->pid);
    _cleanup_fd_ int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return process >= 0 && read_stat(process, &now) == 0 && now.start_boot_ns == place->start_boot_ns;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

static uint64_t modified_ns(const struct stat *status)
{
    return (uint64_t)status->st_mtim.tv_sec * NS_PER_SECOND + (uint64_t)status->st_mtim.tv_nsec;
}

static bool is_believed(const struct jit_place *place, const struct stat *status)
{
    uint64_t age_ns = clock_ns(CLOCK_BOOTTIME) - place->start_boot_ns;
    bool is_own = status->st_uid == 0;
    for (size_t i = 0; i < sizeof(place->uids) / sizeof(place->uids[0]); i++)
        is_own = is_own || status->st_uid == place->uids[i];
    return is_own && modified_ns(status) + LIMIT_JIT_CLOCK_NS >= clock_ns(CLOCK_REALTIME) - age_ns;
}

static int open_source(const struct jit_place *place, enum jit_source source, int *ret_fd)
{
    char name[32];
    if (source == JIT_SOURCE_DUMP)
        return jit_dump__open(place->pid, ret_fd);
    snprintf(name, sizeof(name), "perf-%d.map", place->inner_pid);
    return place->tmp_fd < 0 ? -ENOENT : foreign_file__open_in(place->tmp_fd, name, ret_fd);
}

static void look_for(struct jit_place *place, enum jit_source source)
{
    struct jit_file *file = &place->files[source];
    _cleanup_fd_ int fd = -1;
    struct stat status;
    if (open_source(place, source, &fd) != 0 || fstat(fd, &status) != 0 || !is_believed(place, &status) ||
        (file->fd >= 0 && file->device == status.st_dev && file->inode == status.st_ino))
        return;
    fd__close(&file->fd);
    *file = (struct jit_file){.fd = take_fd(&fd), .device = status.st_dev, .inode = status.st_ino};
}

void jit_place__look(struct jit_place *place)
{
    bool is_alive = jit_place__is_alive(place);
    if (is_alive || place->files[JIT_SOURCE_PERF_MAP].fd < 0) // else a new one is of another process
        look_for(place, JIT_SOURCE_PERF_MAP);
    if (is_alive)
        look_for(place, JIT_SOURCE_DUMP);
}

// Whether the file has changed since it was read last.
static bool has_changed(struct jit_file *file)
{
    struct stat status;
    if (fstat(file->fd, &status) != 0)
        return false;
    bool has =
        !file->was_read || file->size_bytes != (uint64_t)status.st_size || file->modified_ns != modified_ns(&status);
    if ((uint64_t)status.st_size < file->size_bytes) // written anew
        file->read_to = 0;
    file->size_bytes = (uint64_t)status.st_size;
    file->modified_ns = modified_ns(&status);
    return has;
}

static int ask_file(struct jit_file *file, enum jit_source source, struct worker *worker,
                    const struct jit_question *question, uint64_t *cost_us, char **ret_names)
{
    struct worker_usage usage = {0};
    bool has = has_changed(file);
    if (!has && (file->has_failed || !(question->are_new || (question->is_last && !file->was_last))))
        return -ENODATA;
    struct worker_jit_request request = {.source = source,
                                         .fd = file->fd,
                                         .from = question->are_new ? 0 : file->read_to,
                                         .is_last = question->is_last,
                                         .addresses = question->addresses,
                                         .count = question->count};
    int err = worker__jit(worker, &request, &usage, ret_names, &file->read_to);
    *cost_us += usage.cpu_us;
    file->was_read = true;
    file->was_last = question->is_last;
    file->has_failed = err != 0;
    return err;
}

// The next answer of a list of them: NAME, FILE and LINE, each with its NUL.
static struct symbol next_answer(const char **at)
{
    const char *name = *at, *file = name + strlen(name) + 1, *line = file + strlen(file) + 1;
    *at = line + strlen(line) + 1;
    return (struct symbol){name[0] ? name : NULL, file, (uint32_t)strtoul(line, NULL, 10)};
}

int jit_place__ask(struct jit_place *place, struct worker *worker, const struct jit_question *question,
                   symbol_chain_fn *take, void *context, uint64_t *cost_us)
{
    char *answers[JIT_SOURCES] = {NULL};
    const char *at[JIT_SOURCES];
    int err = -ENOENT;
    for (int source = 0; source < JIT_SOURCES && question->count > 0; source++) {
        struct jit_file *file = &place->files[source];
        int file_err = file->fd < 0
                           ? -ENOENT
                           : ask_file(file, (enum jit_source)source, worker, question, cost_us, &answers[source]);
        err = err == -ENOENT || !file_err ? file_err : err;
        at[source] = answers[source];
    }
    for (size_t i = 0; i < question->count; i++) {
        struct symbol symbol = {0};
        for (int source = 0; source < JIT_SOURCES; source++) {
            struct symbol answer = answers[source] ? next_answer(&at[source]) : (struct symbol){0};
            symbol = symbol.function ? symbol : answer;
        }
        if (symbol.function)
            take(i, &symbol, 1, context);
    }
    for (int source = 0; source < JIT_SOURCES; source++)
        free(answers[source]);
    return err;
}
