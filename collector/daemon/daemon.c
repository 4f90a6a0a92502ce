#include "collector/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "collector/daemon/upkeep.h"
#include "collector/session/recorder.h"
#include "store/base/clock.h"
#include "store/directory/directory.h"

struct daemon {
    const char *command_line;
    int argc;
    char **argv;
    struct daemon_words words, next; // next: what SIGHUP has read, if it has
    bool reloads;
    bool records; // by `words`: the events were attached
    struct store_directory *directory;
    struct upkeep *upkeep;
    struct fault said; // of room that cannot be made
};

static int open_store(void *context, uint64_t start_ns, const struct store_meta *meta, struct fault *fault,
                      struct store_writer **ret_writer)
{
    struct daemon *daemon = context;
    int err = store_directory__begin(daemon->directory, start_ns, meta, fault, ret_writer);
    const char *aside = store_directory__aside(daemon->directory);
    if (*aside)
        fault__warn("'%s/%s' is damaged and was set aside; intervals go to another file", daemon->words.record.output,
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

// A bad file changes nothing.
static bool ends_at_hangup(void *context)
{
    struct daemon *daemon = context;
    struct fault fault = {0};
    struct daemon_words words;
    int err = daemon_words__read(&words, daemon->argc, daemon->argv, &fault);
    if (!err && strcmp(words.record.output, daemon->words.record.output) != 0) {
        err = fault__set(&fault, -EINVAL, "the directory of a running daemon stays '%s'; restart it to change that",
                         daemon->words.record.output);
        daemon_words__release(&words);
    }
    if (err) {
        fault__say(&fault, err);
        return false;
    }
    sd_notify(0, "RELOADING=1");
    daemon_words__release(&daemon->next);
    daemon->next = words;
    daemon->reloads = true;
    return true;
}

static void make_room(struct daemon *daemon)
{
    struct fault fault = {0};
    int err = store_directory__make_room(daemon->directory, &fault);
    if (err && strcmp(fault.text, daemon->said.text) != 0)
        fault__say(&fault, err);
    daemon->said = fault;
}

static void on_drained(void *context)
{
    struct daemon *daemon = context;
    struct maintenance plan;
    sd_notify(0, "WATCHDOG=1");
    make_room(daemon);
    if (!upkeep__is_due(daemon->upkeep))
        return;
    store_directory__maintenance(daemon->directory, clock__ns(CLOCK_REALTIME), clock__ns(CLOCK_BOOTTIME),
                                 LIMIT_UPKEEP_NS, &plan);
    upkeep__begin(daemon->upkeep, &plan);
}

static int run_recorder(struct daemon *daemon, const struct recorder_options *options, struct fault *fault)
{
    struct recorder_summary summary = {0};
    _cleanup_(recorder__freep) struct recorder *recorder = NULL;
    int err = recorder__new(options, fault, &recorder);
    if (err)
        return err;
    daemon->records = true;
    sd_notify(0, "READY=1");
    return recorder__run(recorder, fault, &summary);
}

// One recording: until SIGHUP asks for another one, or the end.
static int record(struct daemon *daemon, struct fault *fault)
{
    const struct record_words *words = &daemon->words.record;
    struct hist_options hist = {0};
    _cleanup_free_ struct recorder_event *events = NULL;
    size_t event_count = 0;
    int err = record_words__check(words, &hist, fault);
    if (!err)
        err = record_words__list_events(words, &hist, &events, &event_count, fault);
    if (err)
        return err;
    const struct recorder_owner owner = {.open_store = open_store,
                                         .leaves_store = leaves_store,
                                         .lose_store = lose_store,
                                         .drained = on_drained,
                                         .ends_at_hangup = ends_at_hangup,
                                         .context = daemon};
    struct recorder_options options = record_words__options(words, &hist);
    options.events = events;
    options.event_count = event_count;
    options.owner = &owner;
    options.command_line = daemon->command_line;
    err = run_recorder(daemon, &options, fault);
    store_directory__leave(daemon->directory);
    return err;
}

static void swap_words(struct daemon *daemon)
{
    struct daemon_words words = daemon->words;
    daemon->words = daemon->next;
    daemon->next = words;
}

// The words that SIGHUP has read take the place of those before. When nothing can be recorded by them, for instance
// because this kernel lacks an event, those before hold again.
static int record_on(struct daemon *daemon, struct fault *fault)
{
    int err = record(daemon, fault);
    while (!err && daemon->reloads) {
        swap_words(daemon);
        daemon->reloads = daemon->records = false;
        err = record(daemon, fault);
        if (err && !daemon->records) {
            fault__say(fault, err);
            *fault = (struct fault){0};
            swap_words(daemon);
            err = record(daemon, fault);
        }
    }
    return err;
}

static int set_up(struct daemon *daemon, struct fault *fault)
{
    struct store_limits limits = store_limits__default();
    limits.bytes_most = daemon->words.keep_bytes;
    int err = upkeep__new(&daemon->upkeep);
    if (err)
        return fault__set(fault, err, "cannot start a process: %s", strerror(-err));
    return store_directory__open(daemon->words.record.output, &limits, clock__ns(CLOCK_REALTIME),
                                 clock__ns(CLOCK_BOOTTIME), fault, &daemon->directory);
}

int daemon__run(const char *command_line, int argc, char **argv, struct fault *fault)
{
    struct daemon daemon = {.command_line = command_line, .argc = argc, .argv = argv};
    int err = daemon_words__read(&daemon.words, argc, argv, fault);
    signal(SIGHUP, SIG_DFL); // nohup ignores it: here it has a meaning
    if (!err)
        err = set_up(&daemon, fault);
    if (!err)
        err = record_on(&daemon, fault);
    upkeep__free(daemon.upkeep);
    store_directory__free(daemon.directory);
    daemon_words__release(&daemon.words);
    daemon_words__release(&daemon.next);
    return err;
}
