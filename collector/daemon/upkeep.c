#include "collector/daemon/upkeep.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "collector/daemon/helper_process.h"
#include "collector/session/own_cost.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/database.h"
#include "store/system/priority.h"

struct outcome {
    int err;
    struct fault fault;
    char damaged[DAY_FILE_NAME_BYTES]; // "": the live file was not looked at, or is whole
    uint64_t written_bytes;            // since the process began
};

struct upkeep {
    struct helper_process process; // a plan goes there, its outcome comes back; fd -1: it has died
    bool is_busy;                  // with a plan
    struct fault said;
    char damaged[DAY_FILE_NAME_BYTES]; // found since upkeep__damaged()
    uint64_t next_ns;                  // CLOCK_BOOTTIME
    uint64_t written_bytes;            // by the process, as it said last
};

// Looks for damage in the live file. A file of a busy day takes a second or two: so seldom that it takes a thousandth
// of a CPU at most.
static void check_live(const struct maintenance *plan, uint64_t *next_ns, struct outcome *outcome)
{
    char path[PATH_MAX + DAY_FILE_NAME_BYTES + 1];
    uint64_t began_ns = clock__ns(CLOCK_BOOTTIME);
    if (!*plan->live || began_ns < *next_ns)
        return;
    snprintf(path, sizeof(path), "%s/%s", plan->directory, plan->live);
    if (database__check(path) == -EBADMSG)
        memcpy(outcome->damaged, plan->live, sizeof(outcome->damaged));
    uint64_t ended_ns = clock__ns(CLOCK_BOOTTIME);
    *next_ns = ended_ns + LIMIT_CHECK_PAUSE * (ended_ns - began_ns);
}

// The process: a plan, an outcome, until the daemon is gone.
static void serve(int fd, void *unused)
{
    struct maintenance plan;
    uint64_t next_check_ns = 0;
    (void)unused;
    priority__lower();
    while (recv(fd, &plan, sizeof(plan), 0) == sizeof(plan)) {
        struct maintained ignored;
        struct outcome outcome = {0};
        outcome.err = maintenance__run(&plan, &outcome.fault, &ignored);
        check_live(&plan, &next_check_ns, &outcome);
        outcome.written_bytes = own_cost__written_bytes();
        malloc_trim(0); // the process sleeps for a minute now
        if (send(fd, &outcome, sizeof(outcome), MSG_NOSIGNAL) < 0)
            break;
    }
}

int upkeep__new(struct upkeep **ret_upkeep)
{
    _cleanup_(upkeep__freep) struct upkeep *upkeep = calloc(1, sizeof(*upkeep));
    if (!upkeep)
        return -ENOMEM;
    upkeep->process = (struct helper_process){.pid = -1, .fd = -1};
    upkeep->next_ns = clock__ns(CLOCK_BOOTTIME) + LIMIT_UPKEEP_PERIOD_NS;
    int err = helper_process__start("hearth-upkeep", serve, NULL, &upkeep->process);
    if (!err)
        *ret_upkeep = take_pointer(upkeep);
    return err;
}

void upkeep__free(struct upkeep *upkeep)
{
    if (!upkeep)
        return;
    helper_process__kill(&upkeep->process);
    free(upkeep);
}

static void say_outcome(struct upkeep *upkeep, const struct outcome *outcome)
{
    if (outcome->err && strcmp(outcome->fault.text, upkeep->said.text) != 0)
        fault__say(&outcome->fault, outcome->err);
    upkeep->said = outcome->fault;
    upkeep->written_bytes = outcome->written_bytes;
    memcpy(upkeep->damaged, outcome->damaged, sizeof(upkeep->damaged));
}

static bool has_ended(struct upkeep *upkeep)
{
    struct outcome outcome;
    ssize_t length = recv(upkeep->process.fd, &outcome, sizeof(outcome), MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length == sizeof(outcome)) {
        say_outcome(upkeep, &outcome);
        return true;
    }
    fault__warn("the process that rolls intervals up (PID %d) has died; until a restart they stay as they are, and the "
                "oldest go when there is no room",
                upkeep->process.pid);
    fd__close(&upkeep->process.fd);
    upkeep->process.fd = -1;
    return false;
}

bool upkeep__is_due(struct upkeep *upkeep)
{
    if (upkeep->process.fd < 0 || (upkeep->is_busy && !has_ended(upkeep)))
        return false;
    upkeep->is_busy = false;
    return clock__ns(CLOCK_BOOTTIME) >= upkeep->next_ns;
}

uint64_t upkeep__written_bytes(const struct upkeep *upkeep)
{
    return upkeep->written_bytes;
}

bool upkeep__has_damaged(struct upkeep *upkeep, const char *live)
{
    bool is_live = *upkeep->damaged && strcmp(upkeep->damaged, live) == 0;
    *upkeep->damaged = '\0';
    return is_live;
}

void upkeep__begin(struct upkeep *upkeep, const struct maintenance *plan)
{
    upkeep->next_ns = clock__ns(CLOCK_BOOTTIME) + LIMIT_UPKEEP_PERIOD_NS;
    // Where the process has died, the next look at the socket finds its end.
    upkeep->is_busy = true;
    if (send(upkeep->process.fd, plan, sizeof(*plan), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EAGAIN)
        upkeep->is_busy = false;
}
