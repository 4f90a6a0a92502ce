#include "report/imports/imported.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "report/imports/import.h"
#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/limits.h"

#define STORE_MAGIC "SQLite format 3" // with its NUL byte (sqlite.org/fileformat2.html)

static const struct import *const imports[] = {
#define IMPORT(name) &import_##name,
#include "report/imports/imports.def"
#undef IMPORT
};

// gzopen() reads files that are not compressed as they are. The file, whose descriptor it takes, is read to its end.
static int inflate_all(int fd, struct buf *bytes)
{
    int copy = dup(fd), err = 0, got;
    gzFile file = copy < 0 ? NULL : gzdopen(copy, "rbe");
    if (!file) {
        if (copy >= 0)
            close(copy);
        return -ENOMEM;
    }
    while (!err && buf__reserve(bytes, 1u << 20) &&
           (got = gzread(file, bytes->data + bytes->length_bytes, 1u << 20)) != 0) {
        bytes->length_bytes += got > 0 ? (size_t)got : 0;
        err = got < 0 ? -EBADMSG : bytes->length_bytes > LIMIT_IMPORT_BYTES ? -E2BIG : 0;
    }
    buf__append_byte(bytes, '\0');
    if (gzclose_r(file) == Z_BUF_ERROR && !err)
        err = -EBADMSG; // the end is missing
    return err ? err : bytes->failed ? -ENOMEM : 0;
}

static const struct import *find_import(const struct import_file *file)
{
    for (size_t i = 0; i < sizeof(imports) / sizeof(imports[0]); i++)
        if (imports[i]->knows(file))
            return imports[i];
    return NULL;
}

static int make_store(struct import_file *file, const struct import *import, struct imported *imported,
                      struct fault *fault)
{
    _cleanup_(foreign__freep) struct foreign *foreign = NULL;
    int err = temporary_store__make(&imported->store, fault);
    if (!err)
        temporary_store__watch_signals(&imported->store);
    if (!err)
        err = foreign__new(imported->store.path, file->changed_ns, fault, &foreign);
    if (!err)
        err = import->read(file, foreign, fault);
    if (!err)
        err = foreign__end(foreign, fault);
    if (err == -ENODATA)
        return fault__set_code(fault, EXIT_CODE_EMPTY, err, "there is no sample in '%s'", file->path);
    if (!err)
        imported->path = imported->store.path;
    return err;
}

static int import_bytes(struct import_file *file, struct imported *imported, struct fault *fault)
{
    const struct import *import = find_import(file);
    if (!import)
        return fault__set(fault, -EBADMSG,
                          "cannot read '%s': it is neither a store nor folded stacks, pprof, perf script's text or "
                          "speedscope's",
                          file->path);
    int err = make_store(file, import, imported, fault);
    if (err)
        temporary_store__remove(&imported->store);
    return err;
}

static int read_all(int fd, const char *path, struct fault *fault, struct buf *bytes)
{
    int err = inflate_all(fd, bytes);
    if (err == -E2BIG)
        return fault__set(fault, err, "cannot read '%s': it has more than %llu MiB", path,
                          (unsigned long long)LIMIT_IMPORT_BYTES >> 20);
    return err ? fault__set(fault, err, "cannot read '%s': %s", path,
                            err == -EBADMSG ? "its gzip data is damaged" : strerror(-err))
               : 0;
}

// Stores, files that are empty, and folders: the reader of stores has the words for them.
static bool is_for_reader(int fd, const struct stat *status)
{
    uint8_t head[sizeof(STORE_MAGIC)] = {0};
    if (S_ISFIFO(status->st_mode) || S_ISCHR(status->st_mode))
        return false;
    return !S_ISREG(status->st_mode) || !status->st_size || pread(fd, head, sizeof(head), 0) < 0 ||
           memcmp(head, STORE_MAGIC, sizeof(head)) == 0;
}

// A pipe by its name (`<(perf script)`) is opened without waiting for a writer, and then read as it comes.
static int open_input(const char *path)
{
    if (strcmp(path, "-") == 0)
        return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_RDONLY);
    return fd;
}

static uint64_t changed_ns(const struct stat *status)
{
    return S_ISREG(status->st_mode) ? (uint64_t)status->st_mtim.tv_sec * 1000000000u + (uint64_t)status->st_mtim.tv_nsec
                                    : clock__ns(CLOCK_REALTIME);
}

int imported__open(const char *path, struct fault *fault, struct imported *imported)
{
    _cleanup_(buf__release) struct buf bytes = {0};
    _cleanup_fd_ int fd = open_input(path);
    struct stat status;
    *imported = (struct imported){.path = path};
    if (fd < 0 || fstat(fd, &status) != 0 || is_for_reader(fd, &status))
        return 0;
    if (S_ISCHR(status.st_mode) && strcmp(path, "-") != 0 && !isatty(fd)) // /dev/zero has no end
        return fault__set(fault, -EBADMSG, "cannot read '%s': it is a device, not a store", path);
    int err = read_all(fd, path, fault, &bytes);
    if (err)
        return err;
    struct import_file file = {.path = strcmp(path, "-") == 0 ? "standard input" : path,
                               .bytes = (char *)bytes.data,
                               .length = bytes.length_bytes - 1,
                               .changed_ns = changed_ns(&status)};
    return import_bytes(&file, imported, fault);
}

void imported__release(struct imported *imported)
{
    temporary_store__remove(&imported->store);
}
