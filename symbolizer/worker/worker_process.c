#include "symbolizer/worker/worker_process.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/system/priority.h"
#include "symbolizer/jail/helper.h"
#include "symbolizer/jail/sealed.h"

// Two threads read debug information of so many bytes. Less is read before the second thread has woken up.
#define HELPED_BYTES (4u << 20)

// Answers with the result, or with `err`. Returns whether all went well.
static bool do_job(int socket, const struct job *job, struct helper *helper, job_fn *run, int err)
{
    struct packet_fds inputs = {{-1, -1}}, made_fds = {{-1, -1}};
    struct buf made = {0};
    if (!err)
        err = packet__receive(socket, -1, &(char){0}, 1, &inputs);
    if (!err)
        err = run(socket, job, &inputs, helper, &made);
    if (!err)
        err = sealed__make("made", made.data, made.length_bytes, &made_fds.fds[0]);
    struct reply reply = {.kind = REPLY_DONE, .err = err};
    packet__send(socket, &reply, sizeof(reply), &made_fds);
    buf__release(&made);
    packet__close(&inputs);
    packet__close(&made_fds);
    close(socket);
    return !err;
}

static int lock_in(const struct job *job, struct helper **ret_helper)
{
    if (job->is_lowered)
        priority__lower(); // before there is a helper, which inherits it
    if (job->kind == JOB_INDEX && helper__new(HELPED_BYTES, ret_helper) != 0)
        *ret_helper = NULL;
    return sandbox__enter(&job->limits);
}

static struct rested rested(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return (struct rested){.peak_bytes = (uint64_t)usage.ru_maxrss * 1024u};
}

void worker_process__run(int channel, job_fn *run)
{
    struct job job;
    struct packet_fds socket;
    struct helper *helper = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "hearth-worker");
    bool goes_on = packet__receive(channel, -1, &job, sizeof(job), &socket) == 0 && socket.fds[0] >= 0;
    int err = goes_on ? lock_in(&job, &helper) : 0;
    while (goes_on) {
        goes_on = do_job(socket.fds[0], &job, helper, run, err) && job.company;
        struct rested after = rested();
        goes_on = goes_on && packet__send(channel, &after, sizeof(after), NULL) == 0 &&
                  packet__receive(channel, -1, &job, sizeof(job), &socket) == 0 && socket.fds[0] >= 0;
    }
    _exit(0); // nothing here needs an orderly end
}
