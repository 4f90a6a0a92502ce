#include "collector/binaries.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/hash.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"
#include "symbolizer/foreign_file.h"
#include "symbolizer/symbolizer.h"

struct binaries {
    pthread_mutex_t lock;
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
    free(binaries);
}

// The hash of what identifies a file. Its 64 bits stand for the identity: by chance two of 65,536 binaries share one
// once in ten billion recordings.
static uint64_t identity_of_build_id(const uint8_t *build_id, size_t bytes)
{
    return hash__pair(1, hash__bytes(build_id, bytes));
}

static uint64_t identity_of_file(const struct wire_file *file)
{
    return hash__pair(hash__pair(2, file->inode), (uint64_t)file->device << 32 | file->generation);
}

static uint64_t identity_of_path(const char *path)
{
    return hash__pair(3, hash__bytes(path, strlen(path)));
}

static uint64_t identity_of(const struct binary_identity *identity)
{
    if (identity->build_id_bytes)
        return identity_of_build_id(identity->build_id, identity->build_id_bytes);
    if (identity->file.inode)
        return identity_of_file(&identity->file);
    return identity_of_path(identity->path);
}

static struct binary *find(struct binaries *binaries, uint64_t identity)
{
    uint32_t index;
    return id_map__get(&binaries->by_identity, identity, &index) ? binaries->entries[index] : NULL;
}

static enum store_binary_kind kind_of(const struct binary_identity *identity)
{
    const char *path = identity->path;
    if (strcmp(path, "[vdso]") == 0)
        return STORE_BINARY_VDSO;
    if (identity->build_id_bytes) // a program may be executed from a memfd
        return STORE_BINARY_ELF;
    // Code in memory without a file: perf's //anon, heaps, System V and memfd memory, huge page files.
    static const char *const anonymous[] = {
        "//", "[", "/SYSV", "/memfd:", "/dev/zero", "anon_inode:", "/anon_hugepage"};
    for (size_t i = 0; i < sizeof(anonymous) / sizeof(anonymous[0]); i++)
        if (strncmp(path, anonymous[i], strlen(anonymous[i])) == 0)
            return STORE_BINARY_JIT;
    return STORE_BINARY_ELF;
}

static int add(struct binaries *binaries, const struct binary_identity *identity, enum store_binary_kind kind,
               uint64_t key, struct binary **ret_binary)
{
    if (binaries->count == LIMIT_BINARIES)
        return -ENOSPC;
    struct binary **grown = reallocarray(binaries->entries, binaries->count + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    binaries->entries = grown;
    struct binary *binary = calloc(1, sizeof(*binary));
    char *path = strdup(identity->path);
    if (!binary || !path || id_map__put(&binaries->by_identity, key, (uint32_t)binaries->count)) {
        free(binary);
        free(path);
        return -ENOMEM;
    }
    binary->path = path;
    binary->kind = kind;
    binary->fd = binary->root_fd = -1;
    binary->file = identity->file;
    binary->build_id_bytes = identity->build_id_bytes <= 20 ? identity->build_id_bytes : 20;
    if (binary->build_id_bytes)
        memcpy(binary->build_id, identity->build_id, binary->build_id_bytes);
    binaries->entries[binaries->count++] = binary;
    binary->number = (uint32_t)binaries->count;
    *ret_binary = binary;
    return 0;
}

int binaries__get(struct binaries *binaries, const struct binary_identity *identity, struct binary **ret_binary)
{
    uint64_t key = identity_of(identity);
    pthread_mutex_lock(&binaries->lock);
    struct binary *binary = find(binaries, key);
    int err = binary ? 0 : add(binaries, identity, kind_of(identity), key, &binary);
    if (!err && identity->file.inode) { // from now on the file alone finds it too
        binary->file = identity->file;
        err = id_map__put(&binaries->by_identity, identity_of_file(&identity->file), binary->number - 1);
    }
    pthread_mutex_unlock(&binaries->lock);
    if (!err)
        *ret_binary = binary;
    return err;
}

struct binary *binaries__by_number(struct binaries *binaries, uint32_t number)
{
    pthread_mutex_lock(&binaries->lock);
    struct binary *binary = number && number <= binaries->count ? binaries->entries[number - 1] : NULL;
    pthread_mutex_unlock(&binaries->lock);
    return binary;
}

int binaries__jit(struct binaries *binaries, pid_t pid, struct binary **ret_binary)
{
    char path[32];
    snprintf(path, sizeof(path), "[jit] %d", (int)pid);
    struct binary_identity identity = {.path = path};
    uint64_t key = identity_of_path(path);
    pthread_mutex_lock(&binaries->lock);
    struct binary *binary = find(binaries, key);
    int err = binary ? 0 : add(binaries, &identity, STORE_BINARY_JIT, key, &binary);
    pthread_mutex_unlock(&binaries->lock);
    if (!err)
        *ret_binary = binary;
    return err;
}

// Whether an opened file is the one that was mapped, as far as that is known.
static bool is_the_file(const struct binary *binary, int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    uint8_t build_id[20];
    size_t bytes;
    if (binary->build_id_bytes)
        return symbolizer__build_id(fd, build_id, &bytes) == 0 && bytes == binary->build_id_bytes &&
               memcmp(build_id, binary->build_id, bytes) == 0;
    return !binary->file.inode || binary->file.inode == status.st_ino;
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

static int open_file(const struct binary *binary, pid_t pid, uint64_t start, uint64_t end, int root_fd)
{
    int fd = -1;
    if (keeps(binary, foreign_file__open_mapping(pid, start, end, &fd), &fd))
        return fd;
    // The process is gone, or has mapped something else there: by its path, as it saw it, then as we do.
    if (root_fd >= 0 && keeps(binary, foreign_file__open(root_fd, binary->path, &fd), &fd))
        return fd;
    bool is_known = binary->build_id_bytes || binary->file.inode;
    return is_known && keeps(binary, foreign_file__open(-1, binary->path, &fd), &fd) ? fd : -1;
}

void binaries__open(struct binaries *binaries, struct binary *binary, pid_t pid, uint64_t start, uint64_t end)
{
    if (binary->kind != STORE_BINARY_ELF)
        return;
    pthread_mutex_lock(&binaries->lock);
    if (binary->fd < 0 && !binary->open_failed) {
        _cleanup_fd_ int root_fd = -1;
        foreign_file__open_root(pid, &root_fd);
        binary->fd = open_file(binary, pid, start, end, root_fd);
        binary->open_failed = binary->fd < 0;
        binary->root_fd = binary->fd < 0 ? -1 : take_fd(&root_fd);
        if (binary->fd >= 0 && !binary->build_id_bytes &&
            symbolizer__build_id(binary->fd, binary->build_id, &binary->build_id_bytes) != 0)
            binary->build_id_bytes = 0;
    }
    pthread_mutex_unlock(&binaries->lock);
}
