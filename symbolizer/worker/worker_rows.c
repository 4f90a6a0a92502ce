// Jobs that make unwind rows.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "store/base/limits.h"
#include "symbolizer/worker/worker_insides.h"

struct worker_rows {
    struct worker_job job;
    int fd; // the file: the job may be begun again when its keeper has died
};

int worker_rows__begin(struct worker *worker, int fd, struct worker_rows **ret_rows)
{
    _cleanup_(worker_rows__freep) struct worker_rows *rows = calloc(1, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    rows->job = WORKER_JOB_NONE;
    rows->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (rows->fd < 0)
        return -errno;
    int err = worker_job__begin_paid(worker, &(struct job){.kind = JOB_ROWS}, SHARE_QUICK, LIMIT_ROWS_BYTES,
                                     &(struct packet_fds){{rows->fd, -1}}, &rows->job);
    if (!err)
        *ret_rows = take_pointer(rows);
    return err;
}

int worker_rows__fd(const struct worker_rows *rows)
{
    return rows->job.ends.socket;
}

int worker_rows__end(struct worker_rows *rows, struct unwind_table **ret_table)
{
    void *bytes;
    size_t length;
    int err = worker_job__end(&rows->job, NULL, NULL, &bytes, &length);
    worker_rows__free(rows);
    if (err)
        return err;
    err = unwind_table__unpack(bytes, length, ret_table);
    if (bytes)
        munmap(bytes, length);
    return err;
}

void worker_rows__free(struct worker_rows *rows)
{
    if (!rows)
        return;
    worker_job__close(&rows->job);
    fd__close(&rows->fd);
    free(rows);
}
