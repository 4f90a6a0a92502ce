#include "symbolizer/worker/job.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "symbolizer/guests/guest_lines.h"
#include "symbolizer/guests/guests.h"
#include "symbolizer/jail/sealed.h"
#include "symbolizer/jit/jit_names.h"
#include "symbolizer/symbols/symbol_name.h"
#include "symbolizer/unwind/unwind_rows.h"

static int ask_for_companion(void *context, const struct companion *companion, int *ret_fd)
{
    int socket = *(const int *)context;
    struct reply reply = {.kind = REPLY_WANTS, .companion = *companion};
    struct packet_fds fds;
    int32_t answer;
    int err = packet__send(socket, &reply, sizeof(reply), NULL);
    if (!err)
        err = packet__receive(socket, -1, &answer, sizeof(answer), &fds);
    if (!err && answer == 0 && fds.fds[0] < 0)
        err = -EBADMSG;
    if (err || answer)
        return err ? err : answer;
    *ret_fd = fds.fds[0];
    return 0;
}

// The bytes that come with a job, mapped for as long as the job runs: a worker has many jobs.
struct input {
    void *bytes;
    size_t length;
};

static void input__unmap(struct input *input)
{
    if (input->bytes)
        munmap(input->bytes, input->length);
}

static int input__map(int fd, struct input *ret_input)
{
    return sealed__map(fd, SIZE_MAX / 2, &ret_input->bytes, &ret_input->length);
}

static int do_index(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                    struct buf *ret_made)
{
    _cleanup_(input__unmap) struct input offsets = {0};
    int err = input__map(inputs->fds[1], &offsets);
    if (err)
        return err;
    if (offsets.length / sizeof(uint64_t) != job->count)
        return -EBADMSG;
    struct naming_request request = {.fd = inputs->fds[0],
                                     .offsets = offsets.bytes,
                                     .count = job->count,
                                     .complete = job->complete,
                                     .reader = (enum naming_reader)job->reader,
                                     .helper = helper,
                                     .companions = {ask_for_companion, &socket}};
    return naming_job__run(&request, ret_made);
}

static int do_rows(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                   struct buf *ret_made)
{
    _cleanup_(unwind_table__freep) struct unwind_table *table = NULL;
    (void)socket;
    (void)helper;
    (void)job;
    struct guest_found found;
    guests__find(inputs->fds[0], &found);
    int err = unwind_table__compile_marked(inputs->fds[0], found.guest.kind ? found.loop : 0, NULL, &table);
    if (err)
        return err;
    table->guest = found.guest;
    return unwind_table__pack(table, ret_made);
}

static int do_jit(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                  struct buf *ret_made)
{
    _cleanup_(input__unmap) struct input addresses = {0};
    (void)socket;
    (void)helper;
    int err = input__map(inputs->fds[1], &addresses);
    if (err)
        return err;
    if (addresses.length / sizeof(uint64_t) != job->count || job->source >= JIT_SOURCES)
        return -EBADMSG;
    struct jit_search search = {
        .addresses = addresses.bytes, .count = job->count, .from = job->from, .is_last = job->is_last != 0};
    return jit_names__read((enum jit_source)job->source, inputs->fds[0], &search, ret_made);
}

static int do_demangle(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                       struct buf *ret_made)
{
    _cleanup_(input__unmap) struct input names = {0};
    (void)socket;
    (void)helper;
    int err = input__map(inputs->fds[0], &names);
    if (err)
        return err;
    const char *name = names.bytes;
    for (uint64_t i = 0; i < job->count; i++, name += strlen(name) + 1) {
        symbol_name__append_demangled(name, ret_made);
        buf__append_byte(ret_made, 0);
    }
    return ret_made->failed ? -ENOMEM : 0;
}

// The input has one struct guest_place after the other, each with its table; the answer a uint32_t for each.
static int do_lines(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                    struct buf *ret_made)
{
    _cleanup_(input__unmap) struct input places = {0};
    (void)socket;
    (void)helper;
    int err = input__map(inputs->fds[0], &places);
    if (err)
        return err;
    const uint8_t *at = places.bytes, *end = at + places.length;
    for (uint64_t i = 0; i < job->count; i++) {
        struct guest_place place;
        if ((size_t)(end - at) < sizeof(place))
            return -EBADMSG;
        memcpy(&place, at, sizeof(place));
        at += sizeof(place);
        if ((size_t)(end - at) < place.table_bytes)
            return -EBADMSG;
        uint32_t line = guest_lines__find(&place, at);
        buf__append(ret_made, &line, sizeof(line));
        at += place.table_bytes;
    }
    return ret_made->failed ? -ENOMEM : 0;
}

static int do_nothing(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper,
                      struct buf *ret_made)
{
    (void)socket;
    (void)helper;
    (void)job;
    (void)inputs;
    (void)ret_made;
    return 0;
}

int job__run(int socket, const struct job *job, struct packet_fds *inputs, struct helper *helper, struct buf *ret_made)
{
    static job_fn *const kinds[] = {[JOB_NOTHING] = do_nothing,   [JOB_INDEX] = do_index, [JOB_ROWS] = do_rows,
                                    [JOB_DEMANGLE] = do_demangle, [JOB_JIT] = do_jit,     [JOB_LINES] = do_lines};
    return job->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[job->kind](socket, job, inputs, helper, ret_made)
                                                        : -EINVAL;
}
