#include "collector/daemon/upkeep.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/database.h"
#include "store/system/priority.h"

struct outcome {
    int err;
    struct fault fault;
    char damaged[DAY_FILE_NAME_BYTES]; // "": the live file was not looked at, or is whole
};

struct upkeep {
    pid_t pid;
    int fd;       // a plan goes there, its outcome comes back; -1: the process has died
    bool is_busy; // with a plan
    struct fault said;
    char damaged[DAY_FILE_NAME_BYTES]; // found since upkeep__damaged()
    uint64_t next_ns;                  // CLOCK_BOOTTIME
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
static void serve(int fd, pid_t daemon)
{
    struct maintenance plan;
    uint64_t next_check_ns = 0;
    signal(SIGHUP, SIG_IGN); // a terminal or systemd means the daemon by it
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "hearth-upkeep");
    priority__lower();
    while (getppid() == daemon && recv(fd, &plan, sizeof(plan), 0) == sizeof(plan)) {
        struct maintained ignored;
        struct outcome outcome = {0};
        outcome.err = maintenance__run(&plan, &outcome.fault, &ignored);
        check_live(&plan, &next_check_ns, &outcome);
        malloc_trim(0); // the process sleeps for a minute now
        if (send(fd, &outcome, sizeof(outcome), MSG_NOSIGNAL) < 0)
            break;
    }
    _exit(0);
}

static int start(struct upkeep *upkeep)
{
    int fds[2];
    pid_t daemon = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return -errno;
    upkeep->fd = fds[0];
    upkeep->pid = fork();
    int err = upkeep->pid < 0 ? -errno : 0;
    if (upkeep->pid == 0) {
        close(fds[0]);
        serve(fds[1], daemon);
    }
    close(fds[1]);
    return err;
}

int upkeep__new(struct upkeep **ret_upkeep)
{
    _cleanup_(upkeep__freep) struct upkeep *upkeep = calloc(1, sizeof(*upkeep));
    if (!upkeep)
        return -ENOMEM;
    upkeep->pid = upkeep->fd = -1;
    upkeep->next_ns = clock__ns(CLOCK_BOOTTIME) + LIMIT_UPKEEP_PERIOD_NS;
    int err = start(upkeep);
    if (!err)
        *ret_upkeep = take_pointer(upkeep);
    return err;
}

void upkeep__free(struct upkeep *upkeep)
{
    if (!upkeep)
        return;
    if (upkeep->pid > 0) {
        kill(upkeep->pid, SIGKILL);
        waitpid(upkeep->pid, NULL, 0);
    }
    fd__close(&upkeep->fd);
    free(upkeep);
}

static void say_outcome(struct upkeep *upkeep, const struct outcome *outcome)
{
    if (outcome->err && strcmp(outcome->fault.text, upkeep->said.text) != 0)
        fault__say(&outcome->fault, outcome->err);
    upkeep->said = outcome->fault;
    memcpy(upkeep->damaged, outcome->damaged, sizeof(upkeep->damaged));
}

static bool has_ended(struct upkeep *upkeep)
{
    struct outcome outcome;
    ssize_t length = recv(upkeep->fd, &outcome, sizeof(outcome), MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length == sizeof(outcome)) {
        say_outcome(upkeep, &outcome);
        return true;
    }
    fault__warn("the process that rolls intervals up (PID %d) has died; until a restart they stay as they are, and the "
                "oldest go when there is no room",
                upkeep->pid);
    fd__close(&upkeep->fd);
    return false;
}

bool upkeep__is_due(struct upkeep *upkeep)
{
    if (upkeep->fd < 0 || (upkeep->is_busy && !has_ended(upkeep)))
        return false;
    upkeep->is_busy = false;
    return clock__ns(CLOCK_BOOTTIME) >= upkeep->next_ns;
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
    if (send(upkeep->fd, plan, sizeof(*plan), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EAGAIN)
        upkeep->is_busy = false;
}
