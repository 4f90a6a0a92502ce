#include "collector/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "collector/daemon/budget_steps.h"
#include "collector/daemon/metrics.h"
#include "collector/daemon/privileges.h"
#include "collector/daemon/requests.h"
#include "collector/daemon/side_recordings.h"
#include "collector/daemon/upkeep.h"
#include "collector/daemon/watch.h"
#include "collector/session/loop.h"
#include "collector/session/recorder.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/directory/directory.h"

struct daemon {
    const char *command_line;
    int argc;
    char **argv;
    struct daemon_words *began; // what the recording was begun by, and borrows from
    struct daemon_words *holds; // what it follows now: `began`, or what SIGHUP has read since
    struct daemon_words *next;  // what the next one is to be begun by; NULL: this one goes on
    struct hist_options hist;   // of `began`
    struct recorder *recorder;  // while there is one
    bool records;               // by `began`: the events were attached
    struct store_directory *directory;
    struct upkeep *upkeep;
    struct side_recordings *sides;
    struct budget_steps steps;
    struct watch watch;
    struct metrics *metrics; // NULL: nobody asked for them
    struct control *control; // NULL: there is no control socket
    struct requests requests;
    struct status status; // as told last
    struct fault said;    // of room that cannot be made
    uint64_t look_ns;     // CLOCK_BOOTTIME: when to look again whether the recording has outgrown its bounds
};

static int open_store(void *context, uint64_t start_ns, const struct store_meta *meta, struct fault *fault,
                      struct store_writer **ret_writer)
{
    struct daemon *daemon = context;
    int err = store_directory__begin(daemon->directory, start_ns, meta, fault, ret_writer);
    const char *aside = store_directory__aside(daemon->directory);
    if (*aside)
        fault__warn("'%s/%s' is damaged and was set aside; intervals go to another file", daemon->holds->record.output,
                    aside);
    return err;
}

static bool leaves_store(void *context, uint64_t start_ns)
{
    const struct daemon *daemon = context;
    return store_directory__is_over(daemon->directory, start_ns);
}

static void lose_store(void *context)
{
    struct daemon *daemon = context;
    struct fault fault = {0};
    int err = store_directory__set_aside(daemon->directory, &fault);
    if (err)
        fault__say(&fault, err);
}

static uint64_t written_by_upkeep(void *context)
{
    const struct daemon *daemon = context;
    return upkeep__written_bytes(daemon->upkeep);
}

static void free_words(struct daemon_words *words)
{
    if (words)
        daemon_words__release(words);
    free(words);
}

static int read_words(const struct daemon *daemon, struct fault *fault, struct daemon_words **ret_words)
{
    struct daemon_words *words = calloc(1, sizeof(*words));
    if (!words)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = daemon_words__read(words, daemon->argc, daemon->argv, fault);
    if (err) {
        free(words);
        return err;
    }
    *ret_words = words;
    return 0;
}

// Words that the recording, which goes on, is to follow.
static void hold(struct daemon *daemon, struct daemon_words *words)
{
    if (daemon->holds != daemon->began)
        free_words(daemon->holds);
    daemon->holds = words;
}

static void bound(struct daemon *daemon, uint64_t bytes_most)
{
    store_directory__bound(daemon->directory, bytes_most);
    side_recordings__bound(daemon->sides, bytes_most);
}

static int change_events(struct daemon *daemon, const struct daemon_words *words, struct fault *fault)
{
    _cleanup_free_ struct recorder_event *events = NULL;
    size_t count = 0;
    int err =
        daemon_words__list_events(words, &daemon->hist, budget_steps__dropped(&daemon->steps), &events, &count, fault);
    return err ? err : recorder__change_events(daemon->recorder, events, count, fault);
}

static void read_rules(struct daemon *daemon, const struct daemon_words *words)
{
    struct fault fault = {0};
    int err = watch__read(&daemon->watch, &words->when, &fault);
    if (err)
        fault__say(&fault, err);
}

static const char *or_nowhere(const char *address)
{
    return address ? address : "nowhere";
}

static int check_places(const struct daemon_words *holds, const struct daemon_words *words, struct fault *fault)
{
    char socket[PATH_MAX], other[PATH_MAX];
    daemon_words__socket(holds, socket);
    daemon_words__socket(words, other);
    if (strcmp(words->record.output, holds->record.output) != 0)
        return fault__set(fault, -EINVAL, "the directory of a running daemon stays '%s'; restart it to change that",
                          holds->record.output);
    if (strcmp(socket, other) != 0)
        return fault__set(fault, -EINVAL,
                          "the control socket of a running daemon stays '%s'; restart it to change that", socket);
    if (strcmp(or_nowhere(words->metrics), or_nowhere(holds->metrics)) != 0)
        return fault__set(fault, -EINVAL,
                          "the address of metrics of a running daemon stays '%s'; restart it to change "
                          "that",
                          or_nowhere(holds->metrics));
    return 0;
}

// Has the recording follow the words. -EXFULL, with the reason: only a new one can.
static int change(struct daemon *daemon, const struct daemon_words *words, struct fault *fault)
{
    const struct daemon_words *holds = daemon->holds;
    const char *fixed = daemon_words__fixed(holds, words);
    int err = check_places(holds, words, fault);
    if (err)
        return err;
    if (fixed)
        return fault__set(fault, -EXFULL, "no recording changes its '%s' while it runs", fixed);
    err = change_events(daemon, words, fault);
    if (err)
        return err;
    recorder__set_share(daemon->recorder, words->record.bpf_share);
    budget_steps__bound(&daemon->steps, words);
    read_rules(daemon, words);
    bound(daemon, words->keep_bytes);
    return 0;
}

// Whether the recording ends, and another one is to begin. A bad file changes nothing.
static bool ends_at_hangup(void *context)
{
    struct daemon *daemon = context;
    struct fault fault = {0};
    struct daemon_words *words = NULL;
    int err = read_words(daemon, &fault, &words);
    if (err) {
        fault__say(&fault, err);
        return false;
    }
    sd_notify(0, "RELOADING=1");
    err = change(daemon, words, &fault);
    if (err == -EXFULL) {
        fault__warn("%s: it ends, and another one begins", fault.text);
        daemon->next = words;
        return true;
    }
    sd_notify(0, "READY=1");
    if (err)
        fault__say(&fault, err);
    if (err)
        free_words(words);
    else
        hold(daemon, words);
    return false;
}

static void make_room(struct daemon *daemon)
{
    struct fault fault = {0};
    int err = store_directory__make_room(daemon->directory, &fault);
    if (err && strcmp(fault.text, daemon->said.text) != 0)
        fault__say(&fault, err);
    daemon->said = fault;
}

static void keep_to_budget(struct daemon *daemon, const struct store_interval *interval)
{
    struct fault fault = {0};
    if (!budget_steps__judge(&daemon->steps, daemon->holds, interval, daemon->recorder))
        return;
    int err = change_events(daemon, daemon->holds, &fault);
    if (err)
        fault__say(&fault, err);
}

// A recording that has come to keep too many files ends, and another one begins by the same words: those are read anew,
// as at SIGHUP. A bad file leaves it as it is.
static void end_if_outgrown(struct daemon *daemon)
{
    char why[64];
    struct fault fault = {0};
    uint64_t now_ns = clock__ns(CLOCK_BOOTTIME);
    if (now_ns < daemon->look_ns)
        return;
    daemon->look_ns = now_ns + LIMIT_ENDLESS_LOOK_MS * 1000000ull;
    if (!recorder__is_outgrown(daemon->recorder, why, sizeof(why)))
        return;
    daemon->look_ns = now_ns + LIMIT_ENDLESS_AGAIN_MS * 1000000ull;
    int err = read_words(daemon, &fault, &daemon->next);
    if (err) {
        fault__say(&fault, err);
        return;
    }
    fault__warn("this recording has come to keep %s: it ends, and another one begins", why);
    loop__stop(recorder__loop(daemon->recorder));
}

static void on_kept(void *context, const struct recorder_drained *drained)
{
    struct daemon *daemon = context;
    if (daemon->metrics)
        metrics__add(daemon->metrics, drained, daemon->watch.incidents);
}

static void on_drained(void *context, const struct recorder_drained *drained)
{
    struct daemon *daemon = context;
    struct maintenance plan;
    sd_notify(0, "WATCHDOG=1");
    make_room(daemon);
    end_if_outgrown(daemon);
    watch__judge(&daemon->watch, drained, daemon->sides);
    keep_to_budget(daemon, drained->interval);
    side_recordings__check_sizes(daemon->sides);
    bool is_due = upkeep__is_due(daemon->upkeep);
    store_directory__maintenance(daemon->directory, clock__ns(CLOCK_REALTIME), clock__ns(CLOCK_BOOTTIME),
                                 LIMIT_UPKEEP_NS, &plan);
    if (upkeep__has_damaged(daemon->upkeep, plan.live))
        lose_store(daemon); // the next interval goes to another file
    else if (is_due)
        upkeep__begin(daemon->upkeep, &plan);
}

// Registers the control socket and the starter's in the loop of the recording.
static void watch(struct daemon *daemon, struct loop *loop)
{
    int err = side_recordings__watch(daemon->sides, loop);
    if (!err && daemon->control)
        err = control__watch(daemon->control, loop);
    if (err)
        fault__warn("this daemon answers no requests until it begins another recording: %s", strerror(-err));
}

static int run_recorder(struct daemon *daemon, const struct recorder_options *options, struct fault *fault)
{
    struct recorder_summary summary = {0};
    _cleanup_(recorder__freep) struct recorder *recorder = NULL;
    int err = recorder__new(options, fault, &recorder);
    if (err)
        return err;
    daemon->recorder = recorder;
    daemon->records = true;
    watch(daemon, recorder__loop(recorder));
    sd_notify(0, "READY=1");
    err = recorder__run(recorder, fault, &summary);
    watch(daemon, NULL);
    daemon->recorder = NULL;
    return err;
}

// One recording by the words that hold: until SIGHUP asks for another one, or the end.
static int record_once(struct daemon *daemon, struct fault *fault)
{
    const struct record_words *words = &daemon->began->record;
    _cleanup_free_ struct recorder_event *events = NULL;
    size_t event_count = 0;
    int err = record_words__check(words, &daemon->hist, fault);
    if (!err)
        err = record_words__list_events(words, &daemon->hist, &events, &event_count, fault);
    if (err)
        return err;
    const struct recorder_owner owner = {.open_store = open_store,
                                         .leaves_store = leaves_store,
                                         .lose_store = lose_store,
                                         .drained = on_drained,
                                         .kept = on_kept,
                                         .starter = side_recordings__starter(daemon->sides),
                                         .written = written_by_upkeep,
                                         .ends_at_hangup = ends_at_hangup,
                                         .context = daemon};
    struct recorder_options options = record_words__options(words, &daemon->hist);
    options.events = events;
    options.event_count = event_count;
    options.owner = &owner;
    options.command_line = daemon->command_line;
    err = run_recorder(daemon, &options, fault);
    store_directory__leave(daemon->directory);
    return err;
}

static int record(struct daemon *daemon, struct fault *fault)
{
    daemon->began = daemon->holds;
    daemon->records = false;
    if (daemon->metrics)
        metrics__begin_recording(daemon->metrics);
    bound(daemon, daemon->began->keep_bytes);
    budget_steps__begin(&daemon->steps, daemon->began);
    read_rules(daemon, daemon->began);
    int err = record_once(daemon, fault);
    if (daemon->began != daemon->holds)
        free_words(daemon->began);
    daemon->began = NULL;
    return err;
}

// The words that SIGHUP has read take the place of those before. When nothing can be recorded by them, for instance
// because this kernel lacks an event, those before hold again.
static int record_on(struct daemon *daemon, struct fault *fault)
{
    int err = record(daemon, fault);
    while (!err && daemon->next) {
        struct daemon_words *before = daemon->holds;
        daemon->holds = take_pointer(daemon->next);
        err = record(daemon, fault);
        if (err && !daemon->records) {
            fault__say(fault, err);
            *fault = (struct fault){0};
            free_words(daemon->holds);
            daemon->holds = take_pointer(before);
            err = record(daemon, fault);
        }
        free_words(before);
    }
    return err;
}

static const struct status *tell_status(void *context)
{
    struct daemon *daemon = context;
    if (!daemon->recorder)
        return NULL;
    daemon->status.directory = daemon->holds->record.output;
    daemon->status.keep_bytes = daemon->holds->keep_bytes;
    daemon->status.sides = daemon->sides;
    recorder__tell(daemon->recorder, &daemon->status.recording);
    return &daemon->status;
}

// A daemon that cannot be asked records all the same.
static void open_control(struct daemon *daemon)
{
    struct fault fault = {0};
    char path[PATH_MAX];
    daemon->requests = (struct requests){.status = tell_status, .sides = daemon->sides, .context = daemon};
    daemon->status.since_ns = clock__ns(CLOCK_REALTIME);
    daemon_words__socket(daemon->holds, path);
    int err = control__new(path, requests__answer, &daemon->requests, &fault, &daemon->control);
    if (err)
        fault__say(&fault, err);
}

static int start_metrics(struct daemon *daemon, struct fault *fault)
{
    const char *directory = daemon->holds->record.output;
    if (!daemon->holds->metrics)
        return 0;
    int err = store_directory__make(directory, fault);
    if (err)
        return err;
    err = metrics__new(daemon->holds->metrics, directory, &daemon->metrics);
    return err ? fault__set(fault, err, "cannot start a process: %s", strerror(-err)) : 0;
}

// The server of metrics gives up more than the daemon does, and needs CAP_SETPCAP for that; the starter calls execve().
static int start_helpers(struct daemon *daemon, struct fault *fault)
{
    int err = start_metrics(daemon, fault);
    if (err)
        return err;
    if (privileges__keep_needed(fault) != 0)
        return -EPERM;
    err = upkeep__new(&daemon->upkeep);
    if (!err)
        err = side_recordings__new(daemon->holds->record.output, &daemon->sides);
    if (err)
        return fault__set(fault, err, "cannot start a process: %s", strerror(-err));
    return privileges__filter_calls(fault);
}

static int set_up(struct daemon *daemon, struct fault *fault)
{
    struct store_limits limits = store_limits__default();
    int err = start_helpers(daemon, fault);
    if (err)
        return err;
    err = store_directory__open(daemon->holds->record.output, &limits, clock__ns(CLOCK_REALTIME),
                                clock__ns(CLOCK_BOOTTIME), fault, &daemon->directory);
    if (!err)
        open_control(daemon);
    return err;
}

int daemon__run(const char *command_line, int argc, char **argv, struct fault *fault)
{
    struct daemon daemon = {.command_line = command_line, .argc = argc, .argv = argv};
    int err = read_words(&daemon, fault, &daemon.holds);
    signal(SIGHUP, SIG_DFL);  // nohup ignores it: here it has a meaning
    signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is an error of write()
    if (!err)
        err = set_up(&daemon, fault);
    if (!err)
        err = record_on(&daemon, fault);
    side_recordings__free(daemon.sides);
    control__free(daemon.control);
    upkeep__free(daemon.upkeep);
    metrics__free(daemon.metrics);
    store_directory__free(daemon.directory);
    watch__release(&daemon.watch);
    free_words(daemon.holds);
    free_words(daemon.next);
    return err;
}
