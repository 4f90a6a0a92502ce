#include "symbolizer/naming/naming_tries.h"

#include <errno.h>
#include <sys/mman.h>

#include "symbolizer/worker/worker.h"

static int check(struct made_index *made)
{
    int err = made->bytes ? index__check(made->bytes, made->length_bytes, INDEX_MAPPED, &made->index) : -EBADMSG;
    if (err && made->bytes)
        munmap(made->bytes, made->length_bytes);
    return err;
}

static int try(struct worker *worker, struct naming_request *request, enum naming_reader reader,
               struct symbolizer_counts *counts, struct made_index *ret_made)
{
    struct made_index made = {.reader = reader};
    struct worker_usage usage;
    request->reader = reader;
    int err = worker__index(worker, request, &usage, &made.bytes, &made.length_bytes);
    counts->jobs++;
    counts->worker_cpu_us += usage.cpu_us;
    if (usage.peak_bytes > counts->worker_peak_bytes)
        counts->worker_peak_bytes = usage.peak_bytes;
    if (!err)
        err = check(&made);
    if (!err)
        *ret_made = made;
    return err;
}

// Asks libdw. `err` and `made` are the answer of our own reader; libdw's replaces it only where it is better.
static int ask_libdw(struct worker *worker, struct naming_request *request, struct symbolizer_counts *counts, int err,
                     struct made_index *made)
{
    struct made_index other;
    request->is_quick = true; // libdw may loop on damaged files, up to its limit
    int other_err = try(worker, request, err ? NAMING_BY_LIBDW : NAMING_BY_BOTH, counts, &other);
    if (other_err == -ENOMEM && !request->is_large) {
        if (!err)
            munmap(made->bytes, made->length_bytes);
        return -EAGAIN;
    }
    if (other_err)
        return err;
    bool is_better = err || other.index.header->refused < made->index.header->refused;
    struct made_index *worse = is_better ? made : &other;
    if (!err)
        munmap(worse->bytes, worse->length_bytes);
    if (is_better)
        *made = other;
    return 0;
}

int naming_tries__run(struct worker *worker, struct naming_request *request, struct symbolizer_counts *counts,
                      struct made_index *ret_made)
{
    struct made_index made;
    int err = try(worker, request, NAMING_BY_OUR_OWN, counts, &made);
    if ((err == -ETIMEDOUT || err == -ENOMEM) && request->is_quick)
        return -EAGAIN;
    request->is_large = !request->is_quick;
    if (err == -ECHILD || (!err && made.index.header->refused > 0))
        err = ask_libdw(worker, request, counts, err, &made);
    if (err == -EAGAIN || err == -EDQUOT)
        return err;
    if (err && err != -EBADMSG) {
        // Its debug information is too much or breaks the readers; its symbol table may still be sound.
        request->is_quick = true;
        err = try(worker, request, NAMING_BY_NOBODY, counts, &made);
    }
    if (!err)
        *ret_made = made;
    return err;
}
