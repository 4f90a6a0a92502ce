#include "collector/live_table.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "collector/session/loop.h"
#include "collector/session/short_stores.h"
#include "report/top/top_screen.h"
#include "store/base/clock.h"
#include "store/base/limits.h"

#define SAID_BYTES 4096 // of what hearth said, the last of it

struct live_table {
    const struct recorder_options *options;
    const struct stack_filter *stacks;
    struct recorder *recorder; // while it runs
    struct top *top;
    struct top_screen *screen;
    struct short_stores stores;
    int size_fd;            // readable when the terminal has another size
    int said_fd, stderr_fd; // where stderr's words come out, and stderr itself; -1: it is no terminal
    char said[SAID_BYTES];  // to be said again at the end
    char message[512], rate[40];
    unsigned drains;           // since the window was read
    uint64_t message_until_ns; // CLOCK_MONOTONIC
};

static void draw(struct live_table *table)
{
    bool has_message = table->message[0] && clock__ns(CLOCK_MONOTONIC) < table->message_until_ns;
    const struct top_head head = {.event = table->options->events[0].spelled,
                                  .rate = table->rate,
                                  .message = has_message ? table->message : NULL};
    if (table->screen)
        top_screen__draw(table->screen, table->top, &head);
}

static void show_message(struct live_table *table, const char *text)
{
    snprintf(table->message, sizeof(table->message), "%s", text);
    table->message_until_ns = clock__ns(CLOCK_MONOTONIC) + LIMIT_TOP_MESSAGE_NS;
}

// --- What hearth says meanwhile

// stderr goes into a pipe, where it would write over the picture. When nobody empties it, words are lost, and nobody
// waits.
static int divert_stderr(struct live_table *table)
{
    int ends[2];
    if (!isatty(STDERR_FILENO))
        return 0;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    fflush(stderr);
    table->said_fd = ends[0];
    table->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int err = table->stderr_fd < 0 || dup2(ends[1], STDERR_FILENO) < 0 ? -errno : 0;
    close(ends[1]);
    return err;
}

static void keep_words(struct live_table *table, const char *words)
{
    size_t old = strlen(table->said), more = strlen(words);
    size_t over = old + more >= sizeof(table->said) ? old + more - sizeof(table->said) + 1 : 0;
    memmove(table->said, table->said + over, old - over + 1);
    memcpy(table->said + old - over, words, more + 1);
}

// The last line of them is shown.
static void take_words(struct live_table *table, char *words)
{
    keep_words(table, words);
    size_t length = strlen(words);
    if (length && words[length - 1] == '\n')
        words[length - 1] = '\0';
    const char *last = strrchr(words, '\n');
    show_message(table, last ? last + 1 : words);
}

static bool read_words(struct live_table *table)
{
    char words[SAID_BYTES / 2];
    ssize_t got = read(table->said_fd, words, sizeof(words) - 1);
    if (got <= 0)
        return false;
    words[got] = '\0';
    take_words(table, words);
    return true;
}

static int on_words(void *own, struct fault *fault)
{
    (void)fault;
    if (read_words(own))
        draw(own);
    return 0;
}

// And what was said meanwhile is said where it belongs.
static void give_stderr_back(struct live_table *table)
{
    if (table->said_fd < 0)
        return;
    fflush(stderr);
    while (read_words(table))
        ;
    dup2(table->stderr_fd, STDERR_FILENO);
    fd__close(&table->stderr_fd);
    fd__close(&table->said_fd);
    table->said_fd = table->stderr_fd = -1;
    fputs(table->said, stderr);
}

// --- After each interval

static void tell_rate(struct live_table *table)
{
    struct recorder_status status;
    recorder__tell(table->recorder, &status);
    const struct recorder_event_status *event = &status.events[0];
    unsigned long long hz = event->frequency_hz, period = event->period;
    table->rate[0] = '\0';
    if (event->is_sampled && hz)
        snprintf(table->rate, sizeof(table->rate), "%llu Hz", hz >> event->halvings);
    else if (event->is_sampled)
        snprintf(table->rate, sizeof(table->rate), "each %llu", period << event->halvings);
}

static int show_window(struct live_table *table, uint64_t end_ns, struct fault *fault)
{
    const char *paths[SHORT_STORES_KEPT];
    struct top_window window;
    struct top_window_request request = {
        .paths = paths,
        .path_count = short_stores__paths(&table->stores, paths),
        .event = table->options->events[0].spelled,
        .since_ns = end_ns - top__seconds(table->top) * 1000000000ull + table->options->drain_ns / 2,
        .stacks = *table->stacks,
    };
    int err = top_window__read(&request, fault, &window);
    return err ? err : top__take(table->top, &window);
}

// The cost of a window grows with its length, and a long one changes slowly: one of a minute is read each third second.
static bool is_due(struct live_table *table)
{
    if (++table->drains < (top__seconds(table->top) + 19) / 20)
        return false;
    table->drains = 0;
    return true;
}

static void on_drained(void *context, const struct recorder_drained *drained)
{
    struct live_table *table = (struct live_table *)((char *)context - offsetof(struct live_table, stores));
    struct fault fault = {0};
    struct top_look look;
    top__look(table->top, &look);
    int err = look.is_frozen || !is_due(table) ? 0 : show_window(table, drained->interval->end_ns, &fault);
    if (err)
        show_message(table, fault.text[0] ? fault.text : strerror(-err));
    tell_rate(table);
    draw(table);
}

static bool ends_at_hangup(void *context)
{
    (void)context;
    return true;
}

// --- The terminal

static int on_size(void *own, struct fault *fault)
{
    struct live_table *table = own;
    struct signalfd_siginfo signal;
    (void)fault;
    while (read(table->size_fd, &signal, sizeof(signal)) == sizeof(signal))
        ;
    top_screen__resize(table->screen);
    draw(table);
    return 0;
}

// A terminal that has gone away can be read, and has no keys.
static bool is_gone(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int on_keys(void *own, struct fault *fault)
{
    struct live_table *table = own;
    bool ends = false;
    int key, err = 0;
    while (!ends && !err && (key = top_screen__key(table->screen)) >= 0)
        err = top__press(table->top, key, &ends);
    table->message[0] = '\0';
    if (ends || is_gone())
        loop__stop(recorder__loop(table->recorder));
    draw(table);
    return err ? fault__set(fault, err, "out of memory") : 0;
}

// Before any thread is started: SIGWINCH comes by a descriptor, and SIGTSTP to the thread that draws alone.
static int block_signals(struct live_table *table)
{
    sigset_t size, both;
    sigemptyset(&size);
    sigaddset(&size, SIGWINCH);
    both = size;
    sigaddset(&both, SIGTSTP);
    sigprocmask(SIG_BLOCK, &both, NULL);
    table->size_fd = signalfd(-1, &size, SFD_CLOEXEC | SFD_NONBLOCK);
    return table->size_fd < 0 ? -errno : 0;
}

static void take_stop_signal(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
}

static int watch(struct live_table *table)
{
    struct loop *loop = recorder__loop(table->recorder);
    int err = loop__add(loop, STDIN_FILENO, on_keys, table);
    if (!err)
        err = loop__add(loop, table->size_fd, on_size, table);
    if (!err && table->said_fd >= 0)
        err = loop__add(loop, table->said_fd, on_words, table);
    return err;
}

// --- One recording

static int open_screen(struct live_table *table, struct fault *fault)
{
    int err = top_screen__open(fault, &table->screen);
    if (err)
        return err;
    take_stop_signal();
    err = divert_stderr(table);
    if (!err)
        err = watch(table);
    if (err)
        return fault__set(fault, err, "cannot wait for keys: %s", strerror(-err));
    tell_rate(table);
    draw(table);
    return 0;
}

static void give_screen_back(struct live_table *table)
{
    top_screen__close(take_pointer(table->screen));
    give_stderr_back(table);
}

static void live_table__release(struct live_table *table)
{
    give_screen_back(table);
    fd__close(&table->size_fd);
    top__free(table->top);
    short_stores__remove(&table->stores);
}

static int record(struct live_table *table, const struct recorder_options *options, struct fault *fault,
                  struct recorder_summary *ret_summary)
{
    _cleanup_(recorder__freep) struct recorder *recorder = NULL;
    int err = recorder__new(options, fault, &recorder);
    if (err)
        return err;
    table->recorder = recorder;
    err = open_screen(table, fault);
    if (!err)
        err = recorder__run(recorder, fault, ret_summary);
    give_screen_back(table); // what the recording takes down after that may take a second
    return err;
}

int live_table__run(const struct recorder_options *wanted, const struct stack_filter *stacks, struct fault *fault,
                    struct recorder_summary *ret_summary)
{
    _cleanup_(live_table__release) struct live_table table = {
        .options = wanted,
        .stacks = stacks,
        .stores = {.length_ns = LIMIT_TOP_STORE_NS},
        .size_fd = -1,
        .said_fd = -1,
        .stderr_fd = -1,
    };
    const struct recorder_owner owner = {.open_store = short_stores__open,
                                         .leaves_store = short_stores__leaves,
                                         .lose_store = short_stores__lose,
                                         .drained = on_drained,
                                         .ends_at_hangup = ends_at_hangup,
                                         .context = &table.stores};
    struct recorder_options options = *wanted;
    options.owner = &owner;
    options.is_silent = options.is_forgotten = true;
    int err = top_screen__check(fault);
    if (err)
        return err;
    err = top__new(&table.top);
    if (!err)
        err = block_signals(&table);
    if (err)
        return fault__set(fault, err, "cannot begin: %s", strerror(-err));
    return record(&table, &options, fault, ret_summary);
}
