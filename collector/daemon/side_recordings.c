#include "collector/daemon/side_recordings.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "collector/daemon/side_words.h"
#include "collector/daemon/starter.h"
#include "collector/session/loop.h"
#include "store/base/clock.h"

#define HOUR_NS 3600000000000ull

struct side {
    uint64_t id; // 0: this place is free
    uint64_t begun_ns;
    bool is_told_to_end;
    side_end_fn *ended;
    void *context;
    char path[PATH_MAX], why[256], words[LIMIT_SIDE_WORD_BYTES];
};

struct side_recordings {
    const char *directory;
    struct helper_process starter; // fd -1: it has died
    struct loop *loop;             // NULL: none at the moment
    bool is_ending;
    uint64_t last_id, bytes_most;
    struct side running[LIMIT_SIDE_AT_ONCE];
    uint64_t begun_ns[LIMIT_SIDE_AN_HOUR]; // CLOCK_BOOTTIME, of the last ones, by id
};

int side_recordings__new(const char *directory, struct side_recordings **ret_sides)
{
    _cleanup_(side_recordings__freep) struct side_recordings *sides = calloc(1, sizeof(*sides));
    if (!sides)
        return -ENOMEM;
    sides->directory = directory;
    sides->bytes_most = LIMIT_STORE_DIRECTORY_BYTES;
    sides->starter = (struct helper_process){.pid = -1, .fd = -1};
    int err = helper_process__start("hearth-starter", starter__serve, (void *)directory, &sides->starter);
    if (!err)
        *ret_sides = take_pointer(sides);
    return err;
}

static void tell_end(struct side *side, int exit_code, const char *said)
{
    struct side_end end = {.id = side->id, .exit_code = exit_code, .said = said, .path = side->path};
    side_end_fn *ended = side->ended;
    if (exit_code)
        fault__warn("the recording into '%s' has failed, with exit code %d", side->path, exit_code);
    if (ended)
        ended(side->context, &end);
    side->id = 0;
}

pid_t side_recordings__starter(const struct side_recordings *sides)
{
    return sides->starter.pid > 0 ? sides->starter.pid : 0;
}

static struct side *find(struct side_recordings *sides, uint64_t id)
{
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        if (sides->running[i].id == id)
            return &sides->running[i];
    return NULL;
}

static void lose_starter(struct side_recordings *sides)
{
    static const char said[] = "hearth: the process that starts recordings has died; restart the daemon\n";
    if (sides->loop)
        loop__remove(sides->loop, sides->starter.fd);
    fd__close(&sides->starter.fd);
    sides->starter.fd = -1;
    if (sides->is_ending)
        return;
    fault__warn("the process that starts recordings beside the daemon's own has died; restart the daemon");
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        if (sides->running[i].id)
            tell_end(&sides->running[i], EXIT_CODE_FAILED, said);
}

static int on_report(void *own, struct fault *fault)
{
    struct side_recordings *sides = own;
    struct starter_report report;
    ssize_t got = recv(sides->starter.fd, &report, sizeof(report), MSG_DONTWAIT);
    (void)fault;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got != sizeof(report)) {
        lose_starter(sides);
        return 0;
    }
    struct side *side = report.id ? find(sides, report.id) : NULL;
    if (side)
        tell_end(side, report.exit_code, report.said);
    return 0;
}

// All of them are told to end, and the starter ends after the last.
static void end_all(struct side_recordings *sides)
{
    struct pollfd ready = {.fd = sides->starter.fd, .events = POLLIN};
    shutdown(sides->starter.fd, SHUT_WR);
    while (sides->starter.fd >= 0 && poll(&ready, 1, LIMIT_SIDE_END_MS) > 0)
        on_report(sides, NULL);
}

void side_recordings__free(struct side_recordings *sides)
{
    if (!sides)
        return;
    sides->loop = NULL;
    sides->is_ending = true;
    if (sides->starter.fd >= 0)
        end_all(sides);
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        if (sides->running[i].id)
            tell_end(&sides->running[i], EXIT_CODE_FAILED, "hearth: the daemon has ended before the recording\n");
    helper_process__kill(&sides->starter);
    free(sides);
}

int side_recordings__watch(struct side_recordings *sides, struct loop *loop)
{
    sides->loop = loop;
    return !loop || sides->starter.fd < 0 ? 0 : loop__add(loop, sides->starter.fd, on_report, sides);
}

void side_recordings__bound(struct side_recordings *sides, uint64_t directory_bytes)
{
    sides->bytes_most = directory_bytes;
}

static uint64_t own_bytes(const struct side_recordings *sides)
{
    return sides->bytes_most / LIMIT_SIDE_PART / 2 / LIMIT_SIDE_AT_ONCE;
}

static void order_end(struct side_recordings *sides, struct side *side)
{
    struct starter_order order = {.id = side->id, .ends = true};
    if (!side->is_told_to_end)
        send(sides->starter.fd, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT);
    side->is_told_to_end = true;
}

static uint64_t bytes_of(const struct side *side)
{
    static const char *const suffixes[] = {"", "-wal"};
    char path[PATH_MAX + 8];
    struct stat status;
    uint64_t bytes = 0;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", side->path, suffixes[i]);
        bytes += stat(path, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
    }
    return bytes;
}

void side_recordings__check_sizes(struct side_recordings *sides)
{
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++) {
        struct side *side = &sides->running[i];
        if (!side->id || side->is_told_to_end || bytes_of(side) <= own_bytes(sides))
            continue;
        fault__warn("the recording into '%s' ends early: its store may take %llu bytes, a part of --keep-bytes",
                    side->path, (unsigned long long)own_bytes(sides));
        order_end(sides, side);
    }
}

// The stores of before leave room for those that run and this one.
static int make_room(const struct side_recordings *sides, uint64_t now_ns, struct fault *fault)
{
    uint64_t first_ns = now_ns, bytes = incidents__bytes(sides->directory), removed = 1;
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        if (sides->running[i].id && sides->running[i].begun_ns < first_ns)
            first_ns = sides->running[i].begun_ns / 1000000000u * 1000000000u; // as its name has it
    int err = 0;
    while (!err && removed && bytes + own_bytes(sides) * LIMIT_SIDE_AT_ONCE > sides->bytes_most / LIMIT_SIDE_PART) {
        err = incidents__remove_oldest(sides->directory, first_ns, &removed);
        bytes -= removed < bytes ? removed : bytes;
    }
    return err ? fault__set(fault, err, "cannot remove an old store of '%s/" INCIDENTS_FOLDER "': %s", sides->directory,
                            strerror(-err))
               : 0;
}

static int check_counts(struct side_recordings *sides, struct fault *fault)
{
    uint64_t before_ns = sides->begun_ns[(sides->last_id + 1) % LIMIT_SIDE_AN_HOUR];
    if (sides->starter.fd < 0)
        return fault__set(fault, -EPIPE, "the process that starts recordings has died; restart the daemon");
    if (!find(sides, 0))
        return fault__set(fault, -EBUSY, "%d recordings beside the daemon's run already; try again when one has ended",
                          LIMIT_SIDE_AT_ONCE);
    if (before_ns && clock__ns(CLOCK_BOOTTIME) - before_ns < HOUR_NS)
        return fault__set(fault, -EDQUOT, "%d recordings beside the daemon's began within the last hour; try later",
                          LIMIT_SIDE_AN_HOUR);
    return 0;
}

static void write_order(struct starter_order *order, const struct side_request *request)
{
    char *at = order->words;
    order->word_count = (uint32_t)request->argc;
    for (int i = 0; i < request->argc; i++)
        at = stpcpy(at, request->argv[i]) + 1;
}

// As `hearth stat` and the log show them.
static void describe(struct side *side, const struct side_request *request)
{
    size_t used = 0;
    *side->words = '\0';
    for (int i = 0; i < request->argc && used < sizeof(side->words); i++)
        used += (size_t)snprintf(side->words + used, sizeof(side->words) - used, i ? " %s" : "%s", request->argv[i]);
    snprintf(side->why, sizeof(side->why), "%s", request->why);
}

static int send_order(struct side_recordings *sides, struct side *side, const struct side_request *request,
                      uint64_t now_ns, struct fault *fault)
{
    struct starter_order order = {.id = sides->last_id + 1};
    incident__name(now_ns, order.id, order.name);
    if ((size_t)snprintf(side->path, sizeof(side->path), "%s/" INCIDENTS_FOLDER "/%s", sides->directory, order.name) >=
        sizeof(side->path))
        return fault__set(fault, -ENAMETOOLONG, "the name of the directory '%s' is too long", sides->directory);
    write_order(&order, request);
    if (send(sides->starter.fd, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return fault__set(fault, -errno, "cannot reach the process that starts recordings: %s", strerror(errno));
    return 0;
}

int side_recordings__begin(struct side_recordings *sides, const struct side_request *request, struct fault *fault,
                           uint64_t *ret_id)
{
    uint64_t now_ns = clock__ns(CLOCK_REALTIME);
    int err = side_words__check(request->argc, request->argv, fault);
    if (!err)
        err = check_counts(sides, fault);
    if (!err)
        err = incidents__make(sides->directory, fault);
    if (!err)
        err = make_room(sides, now_ns, fault);
    struct side *side = find(sides, 0);
    if (!err)
        err = send_order(sides, side, request, now_ns, fault);
    if (err)
        return err;
    side->id = ++sides->last_id;
    side->begun_ns = now_ns;
    side->is_told_to_end = false;
    side->ended = request->ended;
    side->context = request->context;
    describe(side, request);
    sides->begun_ns[side->id % LIMIT_SIDE_AN_HOUR] = clock__ns(CLOCK_BOOTTIME);
    fault__warn("'record %s' begins beside the daemon's own recording, into '%s', because of %s", side->words,
                side->path, side->why);
    *ret_id = side->id;
    return 0;
}

void side_recordings__end(struct side_recordings *sides, uint64_t id)
{
    struct side *side = id ? find(sides, id) : NULL;
    if (side)
        order_end(sides, side);
}

void side_recordings__forget(struct side_recordings *sides, uint64_t id)
{
    struct side *side = id ? find(sides, id) : NULL;
    if (side)
        side->ended = NULL;
}

bool side_recordings__show(const struct side_recordings *sides, size_t index, struct side_shown *ret_shown)
{
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++) {
        const struct side *side = &sides->running[i];
        if (!side->id || index--)
            continue;
        *ret_shown = (struct side_shown){
            .id = side->id, .begun_ns = side->begun_ns, .path = side->path, .why = side->why, .words = side->words};
        return true;
    }
    return false;
}
