#include "collector/unwinding/row_jobs.h"

#include <errno.h>
#include <string.h>

#include "symbolizer/elf/vdso.h"

// Longer than all but the largest take (libLLVM: 60 ms); others wait that long.
#define ROWS_PATIENCE_MS 100

struct row_job {
    struct worker_rows *rows; // NULL: free
    const struct binary *binary;
    struct wire_file file;
};

struct row_jobs {
    struct worker *worker;
    struct unwind_cache *cache; // NULL: none
    struct row_job aside[ROW_JOBS_ASIDE];
    uint64_t compiled, failed; // atomic
};

int row_jobs__new(struct worker *worker, const char *cache_dir, struct row_jobs **ret_jobs)
{
    struct row_jobs *jobs = calloc(1, sizeof(*jobs));
    if (!jobs)
        return -ENOMEM;
    jobs->worker = worker;
    if (cache_dir && unwind_cache__open(cache_dir, 0, NULL, &jobs->cache) != 0)
        jobs->cache = NULL; // a read-only system: compiled again each time
    *ret_jobs = jobs;
    return 0;
}

void row_jobs__free(struct row_jobs *jobs)
{
    if (!jobs)
        return;
    for (size_t i = 0; i < ROW_JOBS_ASIDE; i++)
        worker_rows__free(jobs->aside[i].rows);
    unwind_cache__free(jobs->cache);
    free(jobs);
}

void row_jobs__give_back(struct row_jobs *jobs)
{
    if (jobs->cache)
        unwind_cache__give_back(jobs->cache);
}

struct row_jobs_totals row_jobs__totals(const struct row_jobs *jobs)
{
    return (struct row_jobs_totals){__atomic_load_n(&jobs->compiled, __ATOMIC_RELAXED),
                                    __atomic_load_n(&jobs->failed, __ATOMIC_RELAXED)};
}

// The image is the kernel's, not a stranger's: no need for a worker.
static int compile_vdso(struct unwind_table **ret_table)
{
    const uint8_t *image;
    size_t bytes;
    int err = vdso__image(&image, &bytes);
    return err ? err : unwind_table__compile_memory(image, bytes, NULL, ret_table);
}

static bool is_cached(const struct row_jobs *jobs, const struct binary *binary)
{
    return jobs->cache && binary->contents.build_id_bytes && binary->contents.digest &&
           binary->kind == STORE_BINARY_ELF;
}

struct cache_key {
    uint8_t bytes[20 + sizeof(uint64_t)]; // build id, digest
    size_t length;
};

static struct cache_key cache_key_of(const struct binary *binary)
{
    struct cache_key key = {.length = binary->contents.build_id_bytes + sizeof(binary->contents.digest)};
    memcpy(key.bytes, binary->contents.build_id, binary->contents.build_id_bytes);
    memcpy(key.bytes + binary->contents.build_id_bytes, &binary->contents.digest, sizeof(binary->contents.digest));
    return key;
}

static int end(struct row_jobs *jobs, struct worker_rows *rows, const struct binary *binary,
               struct unwind_table **ret_table)
{
    int err = worker_rows__end(rows, ret_table);
    struct cache_key key = cache_key_of(binary);
    if (!err && is_cached(jobs, binary))
        unwind_cache__save(jobs->cache, key.bytes, key.length, *ret_table);
    // Files of other processors, and those that are no programs at all, have no rows to be lost.
    if (err && err != -ENOEXEC)
        __atomic_fetch_add(&jobs->failed, 1, __ATOMIC_RELAXED);
    return err;
}

static int put_aside(struct row_jobs *jobs, struct worker_rows *rows, const struct binary *binary,
                     const struct wire_file *file)
{
    for (size_t i = 0; i < ROW_JOBS_ASIDE; i++) {
        if (jobs->aside[i].rows)
            continue;
        jobs->aside[i] = (struct row_job){rows, binary, *file};
        return -EINPROGRESS;
    }
    worker_rows__free(rows);
    return -EBUSY;
}

static int compile(struct row_jobs *jobs, int fd, const struct binary *binary, const struct wire_file *file,
                   struct unwind_table **ret_table)
{
    struct worker_rows *rows;
    int err = worker_rows__begin(jobs->worker, fd, &rows);
    if (err) {
        __atomic_fetch_add(&jobs->failed, 1, __ATOMIC_RELAXED);
        return err;
    }
    struct pollfd ready = {.fd = worker_rows__fd(rows), .events = POLLIN};
    if (poll(&ready, 1, ROWS_PATIENCE_MS) == 0)
        return put_aside(jobs, rows, binary, file);
    return end(jobs, rows, binary, ret_table);
}

int row_jobs__get(struct row_jobs *jobs, int fd, const struct binary *binary, const struct wire_file *file,
                  struct unwind_table **ret_table)
{
    struct cache_key key = cache_key_of(binary);
    if (is_cached(jobs, binary) && unwind_cache__load(jobs->cache, key.bytes, key.length, ret_table) == 0)
        return 0;
    for (size_t i = 0; i < ROW_JOBS_ASIDE; i++)
        if (jobs->aside[i].rows && jobs->aside[i].binary == binary)
            return memcmp(&jobs->aside[i].file, file, sizeof(*file)) == 0 ? -EINPROGRESS : -EBUSY;
    __atomic_fetch_add(&jobs->compiled, 1, __ATOMIC_RELAXED);
    if (binary->kind == STORE_BINARY_VDSO)
        return compile_vdso(ret_table);
    return compile(jobs, fd, binary, file, ret_table);
}

void row_jobs__poll(const struct row_jobs *jobs, struct pollfd ret_fds[ROW_JOBS_ASIDE])
{
    for (size_t i = 0; i < ROW_JOBS_ASIDE; i++)
        ret_fds[i] =
            (struct pollfd){.fd = jobs->aside[i].rows ? worker_rows__fd(jobs->aside[i].rows) : -1, .events = POLLIN};
}

void row_jobs__take(struct row_jobs *jobs, size_t which, struct row_job_done *ret_done)
{
    struct row_job *job = &jobs->aside[which];
    *ret_done = (struct row_job_done){.binary = job->binary, .file = job->file};
    if (end(jobs, job->rows, job->binary, &ret_done->table) != 0)
        ret_done->table = NULL;
    *job = (struct row_job){0};
}
