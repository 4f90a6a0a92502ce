#include "collector/who/binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"
#include "symbolizer/opening/file_copy.h"
#include "symbolizer/opening/foreign_file.h"
#include "symbolizer/opening/mount_table.h"

struct binaries {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    uint64_t copied_bytes;   // of files whose file system may wait
    struct binary **entries; // by number minus 1
    size_t count;
    struct id_map by_identity; // hash of an identity -> number minus 1; several identities may lead to one entry
};

int binaries__new(struct binaries **ret_binaries)
{
    struct binaries *binaries = calloc(1, sizeof(*binaries));
    if (!binaries)
        return -ENOMEM;
    pthread_mutex_init(&binaries->lock, NULL);
    pthread_cond_init(&binaries->opened, NULL);
    *ret_binaries = binaries;
    return 0;
}

void binaries__free(struct binaries *binaries)
{
    if (!binaries)
        return;
    for (size_t i = 0; i < binaries->count; i++) {
        struct binary *binary = binaries->entries[i];
        fd__close(&binary->fd);
        fd__close(&binary->root_fd);
        free(binary->path);
        free(binary);
    }
    free(binaries->entries);
    id_map__release(&binaries->by_identity);
    pthread_mutex_destroy(&binaries->lock);
    pthread_cond_destroy(&binaries->opened);
    free(binaries);
}

// The hash of what identifies a file. Its 64 bits stand for the identity: by chance two of 65,536 binaries share one
// once in ten billion recordings.
static uint64_t key_of_contents(const struct file_identity *contents)
{
    return hash__pair(hash__pair(1, contents->digest), hash__bytes(contents->build_id, contents->build_id_bytes));
}

static uint64_t key_of_file(const struct wire_file *file)
{
    return hash__pair(hash__pair(2, file->inode), (uint64_t)file->device << 32 | file->generation);
}

// For /proc/PID/maps, which does not tell the generation: the file that had the inode last.
static uint64_t key_of_inode(const struct wire_file *file)
{
    return hash__pair(hash__pair(4, file->inode), file->device);
}

static uint64_t key_of_path(const char *path)
{
    return hash__pair(3, hash__bytes(path, strlen(path)));
}

static struct binary *find(struct binaries *binaries, uint64_t identity)
{
    uint32_t index;
    return id_map__get(&binaries->by_identity, identity, &index) ? binaries->entries[index] : NULL;
}

// Code that is in no file of a disk, by how the path of its mapping begins. The first row that fits counts.
static const struct {
    const char *path;
    enum store_binary_kind kind;
} kinds_by_path[] = {
    {"[vdso]", STORE_BINARY_VDSO},
    {"[", STORE_BINARY_JIT},  // heaps, stacks
    {"//", STORE_BINARY_JIT}, // perf's //anon
    {"/SYSV", STORE_BINARY_JIT},
    {"/memfd:", STORE_BINARY_JIT},
    {"/dev/zero", STORE_BINARY_JIT},
    {"anon_inode:", STORE_BINARY_JIT},
    {"/anon_hugepage", STORE_BINARY_JIT},
};

static enum store_binary_kind kind_of(const struct binary_identity *identity)
{
    if (identity->contents) // a program may be executed from a memfd
        return STORE_BINARY_ELF;
    for (size_t i = 0; i < sizeof(kinds_by_path) / sizeof(kinds_by_path[0]); i++)
        if (strncmp(identity->path, kinds_by_path[i].path, strlen(kinds_by_path[i].path)) == 0)
            return kinds_by_path[i].kind;
    return STORE_BINARY_ELF;
}

static void learn(struct binary *binary, const struct file_identity *contents)
{
    binary->contents = *contents;
    binary->kind = STORE_BINARY_ELF;
}

static int add(struct binaries *binaries, const struct binary_identity *identity, enum store_binary_kind kind,
               struct binary **ret_binary)
{
    if (binaries->count == LIMIT_BINARIES)
        return -ENOSPC;
    if (RESIZE(binaries->entries, binaries->count + 1) != 0)
        return -ENOMEM;
    struct binary *binary = calloc(1, sizeof(*binary));
    char *path = strdup(identity->path);
    if (!binary || !path) {
        free(binary);
        free(path);
        return -ENOMEM;
    }
    binary->path = path;
    binary->kind = kind;
    binary->fd = binary->root_fd = -1;
    binary->seen_ns = (int64_t)clock__ns(CLOCK_REALTIME);
    binaries->entries[binaries->count++] = binary;
    binary->number = (uint32_t)binaries->count;
    *ret_binary = binary;
    return 0;
}

// The entry of a file that was told with its generation, or without; one that was told without takes the first that
// comes with one.
static struct binary *find_file(struct binaries *binaries, const struct wire_file *file)
{
    struct binary *exact = file->generation ? find(binaries, key_of_file(file)) : NULL;
    struct binary *any = exact ? exact : find(binaries, key_of_inode(file));
    return any && (!file->generation || !any->file.generation || exact) ? any : NULL;
}

static struct binary *find_any(struct binaries *binaries, const struct binary_identity *identity)
{
    if (!identity->contents)
        return identity->file.inode ? find_file(binaries, &identity->file)
                                    : find(binaries, key_of_path(identity->path));
    struct binary *binary = find(binaries, key_of_contents(identity->contents));
    if (binary)
        return binary;
    // Known by its file until now. Where that has other contents, it is another file of that inode.
    binary = identity->file.inode ? find_file(binaries, &identity->file) : NULL;
    return binary && !binary->contents.digest ? binary : NULL;
}

// From now on each of what is told leads to the entry.
static int remember(struct binaries *binaries, struct binary *binary, const struct binary_identity *identity)
{
    const struct wire_file *file = &identity->file;
    uint32_t index = binary->number - 1;
    int err = 0;
    if (identity->contents)
        err = id_map__put(&binaries->by_identity, key_of_contents(identity->contents), index);
    if (!err && file->inode) {
        if (file->generation || !binary->file.inode)
            binary->file = *file;
        err = id_map__put(&binaries->by_identity, key_of_inode(file), index);
        if (!err && file->generation)
            err = id_map__put(&binaries->by_identity, key_of_file(file), index);
    }
    return err || identity->contents || file->inode
               ? err
               : id_map__put(&binaries->by_identity, key_of_path(identity->path), index);
}

static int get(struct binaries *binaries, const struct binary_identity *identity, enum store_binary_kind kind,
               struct binary **ret_binary)
{
    pthread_mutex_lock(&binaries->lock);
    struct binary *binary = find_any(binaries, identity);
    int err = binary ? 0 : add(binaries, identity, kind, &binary);
    if (!err && identity->contents && !binary->contents.digest)
        learn(binary, identity->contents);
    if (!err)
        err = remember(binaries, binary, identity);
    pthread_mutex_unlock(&binaries->lock);
    if (!err)
        *ret_binary = binary;
    return err;
}

int binaries__get(struct binaries *binaries, const struct binary_identity *identity, struct binary **ret_binary)
{
    return get(binaries, identity, kind_of(identity), ret_binary);
}

struct binary *binaries__by_number(struct binaries *binaries, uint32_t number)
{
    pthread_mutex_lock(&binaries->lock);
    struct binary *binary = number && number <= binaries->count ? binaries->entries[number - 1] : NULL;
    pthread_mutex_unlock(&binaries->lock);
    return binary;
}

// Copies in memory count too: each is a file without a name.
static uint64_t deleted_bytes(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_nlink == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

struct binaries_weight binaries__weigh(struct binaries *binaries)
{
    pthread_mutex_lock(&binaries->lock);
    struct binaries_weight weight = {.count = binaries->count};
    for (size_t i = 0; i < binaries->count; i++) {
        const struct binary *binary = binaries->entries[i];
        weight.descriptors += (binary->fd >= 0) + (binary->root_fd >= 0);
        weight.deleted_bytes += binary->fd >= 0 ? deleted_bytes(binary->fd) : 0;
    }
    pthread_mutex_unlock(&binaries->lock);
    return weight;
}

int binaries__jit(struct binaries *binaries, pid_t pid, struct binary **ret_binary)
{
    char path[32];
    snprintf(path, sizeof(path), "[jit] %d", (int)pid);
    return get(binaries, &(struct binary_identity){.path = path}, STORE_BINARY_JIT, ret_binary);
}

static bool is_older(const struct binary *binary, const struct stat *status)
{
    return (int64_t)status->st_ctim.tv_sec * 1000000000 + status->st_ctim.tv_nsec <= binary->seen_ns;
}

// Whether an opened file has the inode that was told, where one was. An overlay tells of a file that it has copied up,
// and with xino of each, another inode than that of the layer's file, which the mapping has: such a file counts as the
// one if it was not changed since the mapping was heard of.
static bool has_its_inode(const struct binary *binary, int fd, struct stat *ret_status)
{
    uint32_t type;
    if (file_copy__stat(fd, ret_status, &type) != 0)
        return false;
    return !binary->file.inode || binary->file.inode == ret_status->st_ino ||
           (mount_nature__of_magic(type) == MOUNT_OVERLAY && is_older(binary, ret_status));
}

// Whether an opened file is the one that was mapped, as far as that is known. One that was made or changed after the
// mapping was heard of may have its inode by chance.
static bool is_the_file(const struct binary *binary, int fd)
{
    struct stat status;
    return has_its_inode(binary, fd, &status) && (!binary->file.inode || is_older(binary, &status));
}

// Whether what was opened is the file; if not, it is closed.
static bool keeps(const struct binary *binary, int err, int *fd)
{
    if (err == 0 && is_the_file(binary, *fd))
        return true;
    if (err == 0)
        close(*fd);
    *fd = -1;
    return false;
}

// The mapped file is still the one that was told if its inode is the same, whenever the file was changed.
static bool is_still_mapped(const struct binary *binary, int fd)
{
    struct stat status;
    return has_its_inode(binary, fd, &status);
}

static int open_file(const struct binary *binary, pid_t pid, uint64_t start, uint64_t end, int root_fd)
{
    const struct foreign_mapping mapping = {.pid = pid, .start = start, .end = end, .device = binary->file.device};
    int fd = -1, err = foreign_file__open_mapping(&mapping, &fd);
    if (!err && is_still_mapped(binary, fd))
        return fd;
    fd__close(&fd);
    fd = -1;
    // The process is gone, or has mapped something else there: by its path, as the process saw it, then as we do.
    if (err != -ETIMEDOUT && root_fd >= 0 && keeps(binary, err = foreign_file__open(root_fd, binary->path, &fd), &fd))
        return fd;
    if (err != -ETIMEDOUT && binary->file.inode)
        keeps(binary, foreign_file__open(-1, binary->path, &fd), &fd);
    return fd;
}

// Copies stay in memory as long as the recording: LIMIT_FAR_BYTES of them at most.
static bool may_keep(struct binaries *binaries, int fd)
{
    struct stat status;
    if (!file_copy__is(fd))
        return true;
    if (fstat(fd, &status) != 0 || (uint64_t)status.st_size > LIMIT_COPIES_BYTES - binaries->copied_bytes)
        return false;
    binaries->copied_bytes += (uint64_t)status.st_size;
    return true;
}

// fd -1: it could not be opened. Under the lock.
static void settle(struct binaries *binaries, struct binary *binary, int *fd, int *root_fd,
                   const struct file_identity *contents)
{
    binary->is_opening = false;
    binary->open_failed = *fd < 0 || !may_keep(binaries, *fd);
    if (binary->open_failed)
        return;
    binary->fd = take_fd(fd);
    binary->root_fd = take_fd(root_fd);
    if (!contents || binary->contents.digest)
        return;
    learn(binary, contents);
    if (!find(binaries, key_of_contents(contents)))
        id_map__put(&binaries->by_identity, key_of_contents(contents), binary->number - 1);
}

// Whether this thread is the one that opens it. Waits for another thread that opens it now: opener.h bounds that time.
static bool begin_opening(struct binaries *binaries, struct binary *binary)
{
    pthread_mutex_lock(&binaries->lock);
    while (binary->is_opening)
        pthread_cond_wait(&binaries->opened, &binaries->lock);
    bool begins = binary->fd < 0 && !binary->open_failed;
    binary->is_opening = begins;
    pthread_mutex_unlock(&binaries->lock);
    return begins;
}

static void end_opening(struct binaries *binaries, struct binary *binary, int *fd, int *root_fd)
{
    struct file_identity contents;
    pthread_mutex_lock(&binaries->lock);
    bool is_known = binary->contents.digest != 0;
    pthread_mutex_unlock(&binaries->lock);
    bool has_contents = *fd >= 0 && !is_known && file_identity__read(*fd, &contents) == 0;
    pthread_mutex_lock(&binaries->lock);
    settle(binaries, binary, fd, root_fd, has_contents ? &contents : NULL);
    pthread_cond_broadcast(&binaries->opened);
    pthread_mutex_unlock(&binaries->lock);
}

void binaries__open(struct binaries *binaries, struct binary *binary, pid_t pid, uint64_t start, uint64_t end)
{
    _cleanup_fd_ int root_fd = -1;
    if (binary->kind != STORE_BINARY_ELF || !begin_opening(binaries, binary))
        return;
    foreign_file__open_root(pid, &root_fd);
    _cleanup_fd_ int fd = open_file(binary, pid, start, end, root_fd);
    end_opening(binaries, binary, &fd, &root_fd);
}

void binaries__adopt(struct binaries *binaries, struct binary *binary, pid_t pid, int fd)
{
    _cleanup_fd_ int root_fd = -1, own_fd = -1;
    if (binary->kind != STORE_BINARY_ELF || !is_still_mapped(binary, fd) || !begin_opening(binaries, binary))
        return;
    foreign_file__open_root(pid, &root_fd);
    own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    end_opening(binaries, binary, &own_fd, &root_fd);
}

void binaries__give_up(struct binaries *binaries, struct binary *binary)
{
    pthread_mutex_lock(&binaries->lock);
    binary->open_failed = binary->fd < 0 && !binary->is_opening;
    pthread_mutex_unlock(&binaries->lock);
}
