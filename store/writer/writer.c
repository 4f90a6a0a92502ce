// Opening, appending and closing. The file is in WAL mode while it is written: a commit is one run of appended pages,
// and readers go on beside it. After each interval the WAL is copied into the file, so that it stays short.
#include "store/writer/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "store/base/limits.h"
#include "store/schema.h"
#include "store/shape.h"
#include "store/writer/writer_insides.h"

#define TEXT_OF_(number) #number
#define TEXT_OF(number)  TEXT_OF_(number)

static void destroy(struct store_writer *writer)
{
    for (size_t i = 0; i < WRITER_STATEMENT_COUNT; i++)
        sqlite3_finalize(writer->statements[i]);
    sqlite3_close_v2(writer->database);
    fd__close(&writer->lock_fd);
    writer_words__release(writer);
    packer__free(writer->packer);
    free(writer->values);
    free(writer->sums);
    free(writer->path);
    free(writer);
}

DEFINE_CLEANUP(struct store_writer *, destroy);

static int refuse(const char *path, struct fault *fault)
{
    return fault__set(fault, -EEXIST,
                      "cannot write the store '%s': there is a file that is not a hearth store; remove it or choose "
                      "another name with -o",
                      path);
}

// An empty file, or one that begins as a store does.
static int check_replaceable(int fd, const char *path, struct fault *fault)
{
    uint8_t header[100];
    struct stat status;
    if (fstat(fd, &status) != 0)
        return fault__set(fault, -errno, "cannot look at '%s': %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return refuse(path, fault);
    if (status.st_size == 0)
        return 0;
    if (pread(fd, header, sizeof(header), 0) != sizeof(header) || memcmp(header, "SQLite format 3", 16) != 0)
        return refuse(path, fault);
    uint32_t id = (uint32_t)header[68] << 24 | header[69] << 16 | header[70] << 8 | header[71];
    return id == SCHEMA_APPLICATION_ID ? 0 : refuse(path, fault);
}

static bool is_same_file(int fd, const char *path)
{
    struct stat by_fd, by_path;
    return fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0 && by_fd.st_ino == by_path.st_ino &&
           by_fd.st_dev == by_path.st_dev;
}

static int fail_to_create(const char *path, int err, struct fault *fault)
{
    return fault__set(fault, err, "cannot create the store '%s': %s; choose another place with -o", path,
                      strerror(-err));
}

// The file at `path`, locked by us alone; flags: O_CREAT, or none. -EAGAIN: it was replaced meanwhile.
static int open_locked(const char *path, int flags, struct fault *fault, int *ret_fd)
{
    _cleanup_fd_ int fd = open(path, O_RDWR | flags | O_CLOEXEC | O_NONBLOCK, 0644);
    if (fd < 0)
        return errno == EISDIR || errno == ENXIO ? refuse(path, fault) : fail_to_create(path, -errno, fault);
    int err = check_replaceable(fd, path, fault);
    if (err)
        return err;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return fault__set(
            fault, -EBUSY,
            "cannot write the store '%s': another hearth is recording into it; choose another name with -o", path);
    if (!is_same_file(fd, path))
        return -EAGAIN;
    *ret_fd = take_fd(&fd);
    return 0;
}

static int unlink_with(const char *path, const char *suffix)
{
    char name[PATH_MAX];
    if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >= sizeof(name))
        return -ENAMETOOLONG;
    return unlink(name) != 0 && errno != ENOENT ? -errno : 0;
}

// A store that stands there makes room, together with a WAL of its own: SQLite would take that for the new one's. Who
// reads the old one keeps it.
static int claim_path(const char *path, struct fault *fault, int *ret_fd)
{
    for (int tries = 0; tries < 8; tries++) {
        _cleanup_fd_ int fd = -1;
        struct stat status;
        int err = open_locked(path, O_CREAT, fault, &fd);
        if (err == -EAGAIN)
            continue;
        if (err)
            return err;
        err = unlink_with(path, "-wal");
        if (!err)
            err = unlink_with(path, "-shm");
        if (!err)
            err = unlink_with(path, "-journal");
        if (!err && fstat(fd, &status) == 0 && status.st_size == 0) {
            *ret_fd = take_fd(&fd);
            return 0;
        }
        if (!err)
            err = unlink_with(path, "");
        if (err)
            return fail_to_create(path, err, fault);
    }
    return fail_to_create(path, -EBUSY, fault);
}

// Written before the journal's mode changes: a file cut off here is a store already, and may be
// replaced. Pages of 1 KiB: a packed block of some KiB fills its last one half on average, which is an eighth of a
// store less than with pages of 4 KiB. The cache: a transaction touches some 100 pages.
static const char marks[] = "PRAGMA page_size = 1024;"
                            "PRAGMA application_id = " TEXT_OF(SCHEMA_APPLICATION_ID) ";";
static const char settings[] = "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = NORMAL;"
                               "PRAGMA wal_autocheckpoint = 0;"
                               "PRAGMA cache_size = -1024;"
                               "PRAGMA temp_store = MEMORY;";

static int put_meta(struct store_writer *writer, const struct store_meta *meta)
{
    char cpus[16], name[33];
    uint64_t random[2];
    int err = getrandom(random, sizeof(random), 0) == sizeof(random) ? 0 : -errno;
    snprintf(cpus, sizeof(cpus), "%u", meta->cpu_count);
    snprintf(name, sizeof(name), "%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
    const char *const rows[][2] = {
        {"host", meta->host},       {"kernel", meta->kernel}, {"arch", meta->arch}, {"version", meta->version},
        {"command", meta->command}, {"cpu_count", cpus},      {"store", name},      {"restarts", "0"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        writer_rows__put_meta(writer, rows[i][0], rows[i][1], &err);
    return err;
}

static int create_tables(struct store_writer *writer, const struct store_meta *meta)
{
    int err = database__run(writer->database, marks);
    if (!err)
        err = database__run(writer->database, settings);
    if (!err)
        err = database__run(writer->database, "BEGIN IMMEDIATE");
    if (!err)
        err = database__run(writer->database, schema_sql);
    if (!err)
        err = database__run(writer->database, "PRAGMA user_version = " TEXT_OF(SCHEMA_VERSION));
    if (!err)
        err = put_meta(writer, meta);
    if (!err)
        err = database__run(writer->database, "COMMIT");
    return err;
}

static int new_writer(const char *path, struct fault *fault, struct store_writer **ret_writer)
{
    _cleanup_(destroyp) struct store_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return fault__set(fault, -ENOMEM, "out of memory");
    writer->lock_fd = -1;
    writer->next_interval = 1;
    writer_words__init(writer);
    writer->path = strdup(path);
    int err = writer->path ? packer__new(&writer->packer) : -ENOMEM;
    if (err)
        return fault__set(fault, err, "out of memory");
    *ret_writer = take_pointer(writer);
    return 0;
}

int store_writer__create(const char *path, const struct store_meta *meta, struct fault *fault,
                         struct store_writer **ret_writer)
{
    _cleanup_(destroyp) struct store_writer *writer = NULL;
    int err = new_writer(path, fault, &writer);
    if (!err)
        err = claim_path(path, fault, &writer->lock_fd);
    if (!err)
        err = database__open_to_write(path, fault, &writer->database);
    if (err)
        return err;
    err = create_tables(writer, meta);
    if (err) {
        err = database__fail(writer->database, "create", path, fault);
        unlink(path);
        return err;
    }
    sqlite3_busy_timeout(writer->database, LIMIT_STORE_APPEND_MS);
    *ret_writer = take_pointer(writer);
    return 0;
}

// A writer that ended before it made the tables left nothing to append to.
static int check_version(struct store_writer *writer, struct fault *fault)
{
    _cleanup_(statement__finalizep) sqlite3_stmt *statement = NULL;
    bool has_row = false;
    int err = database__prepare(writer->database, "PRAGMA user_version", &statement);
    if (!err)
        err = database__step(statement, &has_row);
    if (err || !has_row)
        return database__fail(writer->database, "append to", writer->path, fault);
    int version = sqlite3_column_int(statement, 0);
    if (version > SCHEMA_VERSION)
        return fault__set(fault, -EPROTO, "cannot append to the store '%s': a newer hearth made it", writer->path);
    return version ? 0 : fault__set(fault, -ENODATA, "cannot append to the store '%s': it is empty", writer->path);
}

int store_writer__resume(const char *path, struct fault *fault, struct store_writer **ret_writer)
{
    _cleanup_(destroyp) struct store_writer *writer = NULL;
    int err = new_writer(path, fault, &writer);
    if (!err)
        err = open_locked(path, 0, fault, &writer->lock_fd);
    if (!err)
        err = database__open_to_write(path, fault, &writer->database);
    if (!err)
        err = check_version(writer, fault);
    if (!err)
        err = shape__check(writer->database, path, fault);
    if (err)
        return err == -EEXIST ? -EBADMSG : err;
    err = database__run(writer->database, settings);
    if (!err)
        err = writer_resume__load(writer);
    if (err)
        return database__errno(writer->database) == err
                   ? database__fail(writer->database, "append to", path, fault)
                   : fault__set(fault, err, "cannot append to the store '%s': %s", path, strerror(-err));
    sqlite3_busy_timeout(writer->database, LIMIT_STORE_APPEND_MS);
    *ret_writer = take_pointer(writer);
    return 0;
}

static off_t size_of(const char *path, const char *suffix)
{
    char name[PATH_MAX];
    struct stat status;
    if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >= sizeof(name) || stat(name, &status) != 0)
        return 0;
    return status.st_size;
}

uint64_t store_writer__bytes(const struct store_writer *writer)
{
    return (uint64_t)size_of(writer->path, "") + (uint64_t)size_of(writer->path, "-wal");
}

// A checkpoint that fails costs nothing: the WAL has it all. A reader in the way is waited for only when the WAL has
// grown long, and not for long. Sums come one after the other: they are copied together.
static void checkpoint(struct store_writer *writer, const struct store_interval *interval)
{
    bool is_long = (uint64_t)size_of(writer->path, "-wal") >= LIMIT_STORE_WAL_BYTES;
    if (interval && interval->rolled && !is_long)
        return;
    int mode = is_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_busy_timeout(writer->database, LIMIT_STORE_CHECKPOINT_MS);
    sqlite3_wal_checkpoint_v2(writer->database, NULL, mode, NULL, NULL);
    sqlite3_busy_timeout(writer->database, LIMIT_STORE_APPEND_MS);
}

static int check_wal(const struct store_writer *writer, struct fault *fault)
{
    if ((uint64_t)size_of(writer->path, "-wal") < LIMIT_STORE_WAL_MAX_BYTES)
        return 0;
    return fault__set(fault, -EBUSY,
                      "cannot write the store '%s': a program has been reading it for too long and '%s-wal' is full; "
                      "end that program",
                      writer->path, writer->path);
}

static int fail_to_write(struct store_writer *writer, int err, struct fault *fault)
{
    // SQLite knows its own failures; -EINVAL and -ENOMEM may be ours.
    if (database__errno(writer->database) == err)
        return database__fail(writer->database, "write", writer->path, fault);
    return fault__set(fault, err, "cannot write the store '%s': %s", writer->path,
                      err == -EINVAL ? "a value refers to what is not there" : strerror(-err));
}

// Begins, puts what waits and the interval (NULL: none), commits. All or nothing.
static int write_all(struct store_writer *writer, const struct store_interval *interval,
                     const struct store_value *values, size_t value_count, const struct store_histogram *histograms,
                     size_t histogram_count, struct fault *fault)
{
    int err = check_wal(writer, fault);
    if (err)
        return err;
    err = database__run(writer->database, "BEGIN IMMEDIATE");
    if (!err)
        err = writer_rows__put_dictionaries(writer);
    if (!err && interval)
        err = writer_rows__put_interval(writer, interval, values, value_count, histograms, histogram_count);
    if (!err)
        err = database__run(writer->database, "COMMIT");
    if (err) {
        err = fail_to_write(writer, err, fault);
        if (!sqlite3_get_autocommit(writer->database))
            database__run(writer->database, "ROLLBACK");
        checkpoint(writer, NULL); // a full WAL gives its room back
        return err;
    }
    writer->restarts_written = writer->restarts;
    writer->next_interval += interval != NULL;
    writer_words__wrote(writer);
    checkpoint(writer, interval);
    return 0;
}

int store_writer__append(struct store_writer *writer, const struct store_interval *interval,
                         const struct store_value *values, size_t value_count, const struct store_histogram *histograms,
                         size_t histogram_count, struct fault *fault)
{
    return write_all(writer, interval, values, value_count, histograms, histogram_count, fault);
}

int store_writer__incident(struct store_writer *writer, const struct store_incident *incident, struct fault *fault)
{
    int err = check_wal(writer, fault);
    if (err)
        return err;
    err = writer_rows__put_incident(writer, incident);
    return err ? fail_to_write(writer, err, fault) : 0;
}

int store_writer__flush(struct store_writer *writer, struct fault *fault)
{
    return write_all(writer, NULL, NULL, 0, NULL, 0, fault);
}

int store_writer__close(struct store_writer *writer, struct fault *fault)
{
    if (!writer)
        return 0;
    int err = store_writer__flush(writer, fault);
    // Leaves one file that opens where nothing may be written. While somebody reads, the WAL stays, emptied.
    if (!err) {
        sqlite3_wal_checkpoint_v2(writer->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        for (size_t i = 0; i < WRITER_STATEMENT_COUNT; i++)
            sqlite3_finalize(take_pointer(writer->statements[i]));
        database__run(writer->database, "PRAGMA journal_mode = DELETE");
    }
    destroy(writer);
    return err;
}

void store_writer__free(struct store_writer *writer)
{
    store_writer__close(writer, NULL);
}
