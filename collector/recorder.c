#include "collector/recorder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "collector/cache_folder.h"
#include "collector/copy_stacks.h"
#include "collector/drain.h"
#include "collector/hist.h"
#include "collector/keeper.h"
#include "collector/launch.h"
#include "collector/naming.h"
#include "collector/own_cost.h"
#include "collector/perf_records.h"
#include "collector/processes.h"
#include "collector/source_hist.h"
#include "collector/unwinder.h"
#include "store/base/limits.h"
#include "store/writer.h"

enum { PROGRAMS_MAX = 64, EVENTS_MAX = 32 };

// What an epoll event means; the low 32 bits of its data are an index.
enum { ON_SIGNAL, ON_DRAIN, ON_STATUS, ON_END, ON_RECORDS, ON_TARGET, ON_COPIES };

struct recorder {
    const struct recorder_options *options;
    struct wire_config config;
    struct target target;
    struct event events[EVENTS_MAX];
    size_t event_count;
    struct launch launch; // pid 0: no command
    bool command_reaped;
    struct loader *loader;
    struct loaded *targets; // the object that makes the shared maps and follows forks
    struct drain *drain;
    struct binaries *binaries;
    struct processes *processes;
    struct perf_records *records;
    struct store_writer *writer;
    struct naming *naming;
    struct keeper *keeper;
    struct hist *hist;          // NULL: the events are no histograms
    struct unwinder *unwinder;  // NULL: stacks are not unwound by rows
    struct copy_stacks *copies; // NULL: stacks are not copied
    sigset_t signals;
    int epoll_fd, signal_fd, timers[3], statistics_fd;
    int program_fds[PROGRAMS_MAX];
    int program_count;
    uint64_t started_ns;        // CLOCK_MONOTONIC
    uint64_t interval_start_ns; // CLOCK_REALTIME
    struct own_cost told;       // what the intervals so far have said
    size_t targets_left;
    bool done;
    struct recorder_summary summary;
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// --- Setting up

static int parse_events(struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    if (options->event_count > EVENTS_MAX)
        return fault__set_code(fault, EXIT_CODE_USAGE, -E2BIG, "more than %d events in one recording", EVENTS_MAX);
    for (size_t i = 0; i < options->event_count; i++) {
        struct event *event = &recorder->events[recorder->event_count++];
        *event = (struct event){
            .spelled = options->events[i],
            .frequency_hz = options->frequency_hz,
            .period = options->period,
            .min_ns = options->min_wait_ns,
            .max_ns = options->max_wait_ns,
            .hist = options->hist,
        };
        int err = source__parse(options->sources, event, fault);
        if (err)
            return err;
    }
    return 0;
}

// One event that cannot be had does not end a recording of several: it is said, and the others go on.
static int leave_out(struct recorder *recorder, size_t index, int err, struct fault *fault)
{
    if (recorder->event_count == 1)
        return err;
    fault__say(fault, err);
    *fault = (struct fault){0};
    event__release(&recorder->events[index]);
    recorder->event_count--;
    memmove(&recorder->events[index], &recorder->events[index + 1],
            (recorder->event_count - index) * sizeof(recorder->events[0]));
    recorder->events[recorder->event_count] = (struct event){0};
    return 0;
}

static int prepare_events(struct recorder *recorder, struct fault *fault)
{
    for (size_t i = 0; i < recorder->event_count;) {
        struct event *event = &recorder->events[i];
        int err = event->source->prepare ? event->source->prepare(event, &recorder->target, fault) : 0;
        if (!err)
            i++;
        else if ((err = leave_out(recorder, i, err, fault)))
            return err;
    }
    return 0;
}

static uint32_t bound(uint64_t wanted)
{
    uint64_t least = LIMIT_MAP_ENTRIES_LEAST, most = LIMIT_MAP_ENTRIES_MOST;
    return (uint32_t)(wanted < least ? least : wanted > most ? most : wanted);
}

// All buckets of every event; with keys, as many as a share of memory has room for.
static uint32_t bound_hists(const struct recorder *recorder)
{
    const struct hist_options *hist = recorder->options->hist;
    if (!hist)
        return 1;
    bool has_keys = hist->by != WIRE_HIST_BY_NOTHING;
    for (size_t i = 0; i < recorder->event_count; i++)
        has_keys = has_keys || recorder->events[i].hist_groups;
    size_t plain = recorder->event_count * 512, cpus = (size_t)libbpf_num_possible_cpus();
    size_t most = LIMIT_HIST_BYTES / (sizeof(struct wire_hist_cell) * cpus);
    return (uint32_t)(has_keys && most > plain ? most : plain);
}

static bool copies_stacks(const struct recorder_options *options)
{
    return options->unwind == WIRE_UNWIND_COPY || options->compare;
}

// At worst every sample of an interval is a count of its own, with a user and a kernel stack of two chunks together.
static struct loader_bounds choose_bounds(const struct recorder *recorder)
{
    uint64_t hz = recorder->options->frequency_hz ? recorder->options->frequency_hz : 1000;
    uint64_t samples = (hz * recorder->options->drain_ns / 1000000000u + hz) * recorder->target.cpu_count;
    uint32_t last_cpu = recorder->target.online_count ? recorder->target.online[recorder->target.online_count - 1] : 0;
    return (struct loader_bounds){
        .counts = bound(samples),
        .stacks = bound(2 * samples),
        .hists = bound_hists(recorder),
        .cpus = last_cpu + 1,
        .copy_bytes = copies_stacks(recorder->options) ? LIMIT_COPY_RING_BYTES : 0,
    };
}

static void note_programs(struct recorder *recorder, const struct loaded *loaded)
{
    struct bpf_program *program;
    bpf_object__for_each_program(program, loaded__object(loaded))
    {
        if (bpf_program__fd(program) >= 0 && recorder->program_count < PROGRAMS_MAX)
            recorder->program_fds[recorder->program_count++] = bpf_program__fd(program);
    }
}

static int load_event(struct recorder *recorder, struct event *event, struct fault *fault)
{
    uint16_t index = (uint16_t)(event - recorder->events);
    int err = loader__open(recorder->loader, event->source->object, fault, &event->loaded);
    if (!err)
        err = loaded__set(event->loaded, "own_event", &index, sizeof(index), fault);
    if (!err && event->source->configure)
        err = event->source->configure(event, event->loaded, fault);
    if (!err)
        err = loaded__load(event->loaded, fault);
    if (!err)
        note_programs(recorder, event->loaded);
    return err;
}

static int load_programs(struct recorder *recorder, struct fault *fault)
{
    struct wire_config *config = &recorder->config;
    struct loader_bounds bounds = choose_bounds(recorder);
    if (getrandom(&config->stack_seed, sizeof(config->stack_seed), 0) != sizeof(config->stack_seed))
        config->stack_seed = now_ns(CLOCK_MONOTONIC);
    config->user_stacks = config->kernel_stacks = true;
    config->keep_tid |= recorder->options->keep_threads;
    config->unwind = (uint8_t)recorder->options->unwind;
    config->compare = recorder->options->compare != NULL;
    int err = loader__new(config, &bounds, fault, &recorder->loader);
    if (!err)
        err = loader__open(recorder->loader, "targets", fault, &recorder->targets);
    if (!err)
        err = loaded__load(recorder->targets, fault);
    if (!err)
        note_programs(recorder, recorder->targets);
    for (size_t i = 0; i < recorder->event_count && !err; i++)
        err = load_event(recorder, &recorder->events[i], fault);
    return err;
}

static int put_id(struct recorder *recorder, const char *map, uint32_t id, struct fault *fault)
{
    uint8_t one = 1;
    if (bpf_map_update_elem(loader__map_fd(recorder->loader, map), &id, &one, BPF_ANY) == 0)
        return 0;
    return fault__set(fault, -errno, "cannot tell the kernel side about PID %u: %s", id, strerror(errno));
}

static int put_targets(struct recorder *recorder, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; i < recorder->target.process_count && !err; i++)
        err = put_id(recorder, "targets", recorder->target.processes[i].pid, fault);
    for (size_t i = 0; i < recorder->target.tid_count && !err; i++)
        err = put_id(recorder, "targets_tid", recorder->target.tids[i], fault);
    return err;
}

static int attach_program(struct loaded *loaded, const char *name, struct fault *fault)
{
    struct bpf_link *link = bpf_program__attach(loaded__program(loaded, name));
    if (!link)
        return fault__set_code(fault, EXIT_CODE_LACKS, -errno, "cannot attach '%s': %s; see `hearth doctor`", name,
                               strerror(errno));
    int err = loaded__keep(loaded, link);
    return err ? fault__set(fault, err, "out of memory") : 0;
}

// The store has its row of the event already; it stays without samples when the kernel does not have it.
static int attach_events(struct recorder *recorder, struct fault *fault)
{
    size_t attached = 0;
    int err = 0;
    for (size_t i = 0; i < recorder->event_count; i++) {
        struct event *event = &recorder->events[i];
        err = event->source->attach(event, &recorder->target, fault);
        if (err && recorder->event_count == 1)
            return err;
        if (err) {
            loaded__detach(event->loaded);
            fault__say(fault, err);
            continue;
        }
        event->attached = true;
        attached++;
        if (event->note[0])
            fault__warn("%s: %s", event->spelled, event->note);
    }
    if (attached)
        return 0;
    return fault__set_code(fault, fault->code, err, "none of the events can be had");
}

static int attach(struct recorder *recorder, struct fault *fault)
{
    int err = 0;
    if (recorder->config.by_tgid) {
        err = attach_program(recorder->targets, "follow_fork", fault);
        if (!err)
            err = attach_program(recorder->targets, "forget_exit", fault);
    }
    return err ? err : attach_events(recorder, fault);
}

static int open_store(struct recorder *recorder, struct fault *fault)
{
    struct utsname system;
    uname(&system);
    struct store_meta meta = {.host = system.nodename,
                              .kernel = system.release,
                              .arch = system.machine,
                              .version = HEARTH_VERSION,
                              .command = recorder->options->command_line,
                              .cpu_count = (uint32_t)recorder->target.online_count};
    int err = store_writer__create(recorder->options->store_path, &meta, fault, &recorder->writer);
    for (size_t i = 0; i < recorder->event_count && !err; i++) {
        struct event *event = &recorder->events[i];
        struct store_event row = {.name = event->spelled,
                                  .unit = event__unit(event),
                                  .detail = event->detail,
                                  .period = event->store_period,
                                  .is_histogram = event->hist != NULL};
        err = store_writer__event(recorder->writer, &row, &event->store_id);
        if (err)
            fault__set(fault, err, "cannot write to the store '%s': %s", recorder->options->store_path, strerror(-err));
    }
    return err;
}

static int set_up_copies(struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    if (!copies_stacks(options))
        return 0;
    int err = copy_stacks__new(recorder->loader, recorder->binaries, recorder->processes, fault, &recorder->copies);
    if (!err && options->compare)
        copy_stacks__compare(recorder->copies, options->compare, options->compare_context);
    return err;
}

static int set_up_unwinding(struct recorder *recorder, struct fault *fault)
{
    if (recorder->options->unwind == WIRE_UNWIND_FP || recorder->options->unwind == WIRE_UNWIND_COPY)
        return 0;
    _cleanup_free_ uint32_t *tgids = calloc(recorder->target.process_count + 1, sizeof(*tgids));
    if (!tgids)
        return fault__set(fault, -ENOMEM, "out of memory");
    for (size_t i = 0; i < recorder->target.process_count; i++)
        tgids[i] = recorder->target.processes[i].pid;
    char cache[PATH_MAX];
    bool has_cache = cache_folder__find("rows", cache, sizeof(cache)) == 0;
    struct unwinder_options options = {.loader = recorder->loader,
                                       .binaries = recorder->binaries,
                                       .cache_dir = has_cache ? cache : NULL,
                                       .first_tgids = tgids,
                                       .first_tgid_count = recorder->target.process_count};
    return unwinder__new(&options, fault, &recorder->unwinder);
}

static int set_up_tracking(struct recorder *recorder, struct fault *fault)
{
    int64_t boot_ns = (int64_t)now_ns(CLOCK_BOOTTIME);
    char cache[PATH_MAX];
    bool has_cache = cache_folder__find("names", cache, sizeof(cache)) == 0;
    struct symbolizer_options symbols = {.no_inline = recorder->options->no_inline,
                                         .cache_dir = has_cache ? cache : NULL};
    int err = binaries__new(&recorder->binaries);
    if (!err)
        err = processes__new(recorder->binaries, boot_ns - (int64_t)now_ns(CLOCK_MONOTONIC), &recorder->processes);
    if (err)
        return fault__set(fault, err, "out of memory");
    err = perf_records__new(recorder->target.online, recorder->target.online_count, fault, &recorder->records);
    if (!err)
        err = naming__new(&symbols, fault, &recorder->naming);
    if (!err)
        err = drain__new(recorder->loader, fault, &recorder->drain);
    if (!err)
        err = set_up_unwinding(recorder, fault);
    if (!err)
        err = set_up_copies(recorder, fault);
    if (err)
        return err;
    drain__warm_up(recorder->drain, recorder->target.online, recorder->target.online_count);
    return 0;
}

// Last of all: a recording that cannot begin must not have replaced the store of an earlier one.
static int begin_store(struct recorder *recorder, struct fault *fault)
{
    int err = open_store(recorder, fault);
    if (err)
        return err;
    struct keeper_parts parts = {.writer = recorder->writer,
                                 .binaries = recorder->binaries,
                                 .processes = recorder->processes,
                                 .naming = recorder->naming,
                                 .events = recorder->events,
                                 .event_count = recorder->event_count,
                                 .wall_offset_ns = (int64_t)now_ns(CLOCK_REALTIME) - (int64_t)now_ns(CLOCK_BOOTTIME)};
    if (recorder->options->hist && hist__new(recorder->events, recorder->event_count, &recorder->hist) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    return keeper__new(&parts, fault, &recorder->keeper);
}

static int watch(struct recorder *recorder, int fd, uint32_t kind, size_t index)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | index};
    return fd < 0 || epoll_ctl(recorder->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 ? -errno : 0;
}

static int watch_timer(struct recorder *recorder, uint32_t kind, uint64_t first_ns, bool repeat)
{
    struct timespec time = {.tv_sec = (time_t)(first_ns / 1000000000u), .tv_nsec = (long)(first_ns % 1000000000u)};
    struct itimerspec setting = {.it_value = time};
    if (repeat)
        setting.it_interval = time;
    int *timer = &recorder->timers[kind - ON_DRAIN];
    *timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (*timer < 0 || timerfd_settime(*timer, 0, &setting, NULL) != 0)
        return -errno;
    return watch(recorder, *timer, kind, 0);
}

static int set_up_watches(struct recorder *recorder, struct fault *fault)
{
    recorder->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    recorder->signal_fd = signalfd(-1, &recorder->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    int err = watch(recorder, recorder->signal_fd, ON_SIGNAL, 0);
    if (!err)
        err = watch_timer(recorder, ON_DRAIN, recorder->options->drain_ns, true);
    if (!err && recorder->options->show_status)
        err = watch_timer(recorder, ON_STATUS, 1000000000u, true);
    if (!err && recorder->options->duration_ns)
        err = watch_timer(recorder, ON_END, recorder->options->duration_ns, false);
    for (size_t i = 0; i < perf_records__fd_count(recorder->records) && !err; i++)
        err = watch(recorder, perf_records__fd(recorder->records, i), ON_RECORDS, i);
    for (size_t i = 0; i < recorder->target.process_count && !err; i++)
        err = watch(recorder, recorder->target.processes[i].pidfd, ON_TARGET, i);
    if (!err && recorder->copies)
        err = watch(recorder, copy_stacks__fd(recorder->copies), ON_COPIES, 0);
    recorder->targets_left = recorder->target.process_count;
    return err ? fault__set(fault, err, "cannot wait for events: %s", strerror(-err)) : 0;
}

static int prepare_command(struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    if (!options->command)
        return 0;
    int err = launch__prepare(options->command, fault, &recorder->launch);
    if (err) {
        recorder->launch.pid = 0;
        return err;
    }
    if (options->target->all) {
        struct wire_config ignored = {0};
        return target__add_command(&recorder->target, recorder->launch.pid, &ignored, fault);
    }
    return target__add_command(&recorder->target, recorder->launch.pid, &recorder->config, fault);
}

// Copies are for looking closely at one process: of a whole machine they would be 64 KiB a sample.
static int check_copy(const struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    size_t processes = recorder->target.process_count + (options->command != NULL);
    if (options->unwind != WIRE_UNWIND_COPY || (processes == 1 && !options->target->all))
        return 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "--unwind=copy is for one process: name it with -p PID, or give a command");
}

// Each CPU, probe and pipe takes descriptors; the soft limit of 1024 is for programs that use select().
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

// Before any thread is started: the signals that end a recording must find none that would die of them.
static void block_signals(struct recorder *recorder)
{
    sigemptyset(&recorder->signals);
    sigaddset(&recorder->signals, SIGINT);
    sigaddset(&recorder->signals, SIGTERM);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) != 0 || hangup.sa_handler != SIG_IGN) // nohup means it
        sigaddset(&recorder->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &recorder->signals, NULL);
}

int recorder__new(const struct recorder_options *options, struct fault *fault, struct recorder **ret_recorder)
{
    _cleanup_(recorder__freep) struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder)
        return fault__set(fault, -ENOMEM, "out of memory");
    recorder->options = options;
    recorder->epoll_fd = recorder->signal_fd = recorder->statistics_fd = -1;
    for (size_t i = 0; i < sizeof(recorder->timers) / sizeof(recorder->timers[0]); i++)
        recorder->timers[i] = -1;
    block_signals(recorder);
    int err = target__resolve(options->target, &recorder->config, &recorder->target, fault);
    if (!err)
        err = parse_events(recorder, fault);
    if (!err)
        err = check_copy(recorder, fault);
    if (!err)
        err = prepare_command(recorder, fault);
    if (!err)
        err = prepare_events(recorder, fault);
    if (err)
        return err;
    raise_descriptor_limit(); // not for the command, which has been forked
    err = load_programs(recorder, fault);
    if (!err)
        err = put_targets(recorder, fault);
    if (!err)
        err = set_up_tracking(recorder, fault);
    if (!err)
        err = set_up_watches(recorder, fault);
    if (!err)
        err = attach(recorder, fault);
    if (!err)
        err = begin_store(recorder, fault);
    if (err)
        return err;
    recorder->statistics_fd = own_cost__enable_bpf_statistics();
    *ret_recorder = take_pointer(recorder);
    return 0;
}

void recorder__free(struct recorder *recorder)
{
    if (!recorder)
        return;
    if (recorder->launch.pid > 0 && !recorder->command_reaped)
        launch__end(&recorder->launch);
    unwinder__free(recorder->unwinder);
    naming__free(recorder->naming);
    keeper__free(recorder->keeper);
    hist__free(recorder->hist);
    copy_stacks__free(recorder->copies);
    store_writer__free(recorder->writer);
    perf_records__free(recorder->records);
    drain__free(recorder->drain);
    for (size_t i = 0; i < recorder->event_count; i++)
        event__release(&recorder->events[i]);
    loaded__free(recorder->targets);
    loader__free(recorder->loader);
    processes__free(recorder->processes);
    binaries__free(recorder->binaries);
    target__release(&recorder->target);
    for (size_t i = 0; i < sizeof(recorder->timers) / sizeof(recorder->timers[0]); i++)
        fd__close(&recorder->timers[i]);
    fd__close(&recorder->epoll_fd);
    fd__close(&recorder->signal_fd);
    fd__close(&recorder->statistics_fd);
    free(recorder);
}

// --- Collecting

static void measure_interval(struct recorder *recorder, struct store_interval *interval)
{
    struct own_cost cost;
    own_cost__read(recorder->program_fds, recorder->program_count, recorder->launch.pid, &cost);
    interval->start_ns = recorder->interval_start_ns;
    interval->end_ns = recorder->interval_start_ns = now_ns(CLOCK_REALTIME);
    interval->own_cpu_ns = cost.cpu_ns - recorder->told.cpu_ns;
    interval->own_bpf_ns = cost.bpf_ns - recorder->told.bpf_ns;
    interval->own_rss_bytes = cost.rss_bytes;
    recorder->told = cost;
}

// What goes on (a wait, a call) is counted up to now, so that the interval has its share of it.
static int settle_events(struct recorder *recorder, bool is_last, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; i < recorder->event_count && !err; i++) {
        struct event *event = &recorder->events[i];
        if (event->attached && event->source->settle)
            err = event->source->settle(event, recorder->drain, is_last);
    }
    return err ? fault__set(fault, err, "cannot count what still goes on: %s", strerror(-err)) : 0;
}

// A process has mapped something over something else: what the kernel side knows of mappings is no longer sure.
static int read_records(struct recorder *recorder)
{
    uint64_t before = processes__replaced(recorder->processes);
    int err = perf_records__read(recorder->records, recorder->processes);
    if (recorder->unwinder && processes__replaced(recorder->processes) != before)
        unwinder__forget_mappings(recorder->unwinder);
    return err;
}

static int read_copies(struct recorder *recorder, struct fault *fault)
{
    int err = copy_stacks__read(recorder->copies);
    return err ? fault__set(fault, err, "cannot unwind the copied stacks: %s", strerror(-err)) : 0;
}

// What was copied for the set that is drained now has all come.
static int take_copies(struct recorder *recorder, uint32_t set, struct fault *fault)
{
    int err = read_copies(recorder, fault);
    if (err)
        return err;
    keeper__lose(recorder->keeper, WIRE_LOSS_STACK_CUT, copy_stacks__cut(recorder->copies));
    keeper__lose(recorder->keeper, WIRE_LOSS_STACK_BROKEN, copy_stacks__broken(recorder->copies));
    err = copy_stacks__hand_over(recorder->copies, set, recorder->drain);
    return err ? fault__set(fault, err, "out of memory") : 0;
}

static int take_histograms(struct recorder *recorder, const struct drained *drained, struct keeper_histograms *ret_rows,
                           struct fault *fault)
{
    *ret_rows = (struct keeper_histograms){0};
    int err = recorder->hist ? hist__take(recorder->hist, drained, &ret_rows->rows, &ret_rows->count) : 0;
    return err ? fault__set(fault, err, "cannot add up the histograms: %s", strerror(-err)) : 0;
}

static int show_histograms(struct recorder *recorder, bool is_last)
{
    const struct histogram_list *list;
    if (!recorder->hist || !recorder->options->show)
        return 0;
    int err = hist__totals(recorder->hist, &list);
    if (!err)
        recorder->options->show(list, is_last, recorder->options->show_context);
    return err;
}

static int keep_interval(struct recorder *recorder, bool is_last, struct fault *fault)
{
    struct keeper_histograms histograms;
    struct drained drained;
    struct store_interval interval = {0};
    int err = is_last ? 0 : settle_events(recorder, false, fault);
    if (err)
        return err;
    err = drain__run(recorder->drain, fault, &drained);
    if (err)
        return err;
    // After the flip: what the samples ran in has been mapped before.
    err = read_records(recorder);
    if (err)
        return fault__set(fault, err, "cannot follow the processes: %s", strerror(-err));
    err = recorder->copies ? take_copies(recorder, drained.set, fault) : 0;
    if (err)
        return err;
    err = naming__collect(recorder->naming, recorder->writer);
    if (err)
        return fault__set(fault, err, "cannot keep the names: %s", strerror(-err));
    measure_interval(recorder, &interval);
    err = take_histograms(recorder, &drained, &histograms, fault);
    if (!err)
        err = keeper__keep(recorder->keeper, recorder->drain, &drained, &histograms, &interval,
                           perf_records__lost(recorder->records), is_last, fault);
    if (!err)
        err = show_histograms(recorder, is_last);
    processes__forget_exited(recorder->processes);
    naming__start(recorder->naming);
    return err;
}

static void show_status(const struct recorder *recorder)
{
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    fprintf(stderr, "\r\033[Khearth: %llu s, %llu samples, %llu lost",
            (unsigned long long)((now_ns(CLOCK_MONOTONIC) - recorder->started_ns) / 1000000000u),
            (unsigned long long)totals->samples, (unsigned long long)totals->lost);
    fflush(stderr);
}

static void clear_status(const struct recorder *recorder)
{
    if (recorder->options->show_status)
        fprintf(stderr, "\r\033[K");
}

static void on_target_gone(struct recorder *recorder, size_t index)
{
    const struct target_process *process = &recorder->target.processes[index];
    epoll_ctl(recorder->epoll_fd, EPOLL_CTL_DEL, process->pidfd, NULL);
    recorder->targets_left--;
    if ((pid_t)process->pid == recorder->launch.pid) {
        recorder->done = true;
        return;
    }
    clear_status(recorder);
    fault__warn("PID %u has exited; what was collected of it is kept", process->pid);
    recorder->done = recorder->done || recorder->targets_left == 0;
}

static void swallow(int fd)
{
    uint64_t ignored[16]; // larger than a signalfd_siginfo
    while (read(fd, ignored, sizeof(ignored)) > 0)
        ;
}

static int handle(struct recorder *recorder, const struct epoll_event *event, struct fault *fault)
{
    switch (event->data.u64 >> 32) {
    case ON_SIGNAL:
    case ON_END:
        recorder->done = true;
        return 0;
    case ON_DRAIN:
        swallow(recorder->timers[ON_DRAIN - ON_DRAIN]);
        return keep_interval(recorder, false, fault);
    case ON_STATUS:
        swallow(recorder->timers[ON_STATUS - ON_DRAIN]);
        show_status(recorder);
        return 0;
    case ON_RECORDS:
        return read_records(recorder);
    case ON_COPIES: {
        int err = read_records(recorder);
        return err ? err : read_copies(recorder, fault);
    }
    case ON_TARGET:
        on_target_gone(recorder, (uint32_t)event->data.u64);
        return 0;
    }
    return 0;
}

static int collect(struct recorder *recorder, struct fault *fault)
{
    int err = 0;
    while (!recorder->done && !err) {
        struct epoll_event events[16];
        int count = epoll_wait(recorder->epoll_fd, events, 16, -1);
        if (count < 0 && errno != EINTR)
            err = fault__set(fault, -errno, "cannot wait for events: %s", strerror(errno));
        for (int i = 0; i < count && !err; i++)
            err = handle(recorder, &events[i], fault);
    }
    return err;
}

// The last interval, the last names, and the end of the file. A failure before does not keep what can be kept from it.
static int finish(struct recorder *recorder, int err, struct fault *fault)
{
    if (!err)
        err = settle_events(recorder, true, fault); // while there is something to settle
    for (size_t i = 0; i < recorder->event_count; i++)
        loaded__detach(recorder->events[i].loaded);
    loaded__detach(recorder->targets);
    if (!err)
        err = keep_interval(recorder, true, fault);
    naming__wait(recorder->naming);
    int late = naming__collect(recorder->naming, recorder->writer);
    if (!late)
        late = store_writer__flush(recorder->writer, err ? NULL : fault);
    struct store_writer *writer = take_pointer(recorder->writer);
    int closed = store_writer__close(writer, err || late ? NULL : fault);
    return err ? err : late ? late : closed;
}

static void summarize(struct recorder *recorder, struct recorder_summary *ret_summary)
{
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    struct own_cost cost;
    own_cost__read(recorder->program_fds, recorder->program_count, recorder->launch.pid, &cost);
    recorder->summary.samples = totals->samples;
    recorder->summary.stacks = totals->stacks;
    recorder->summary.lost = totals->lost;
    recorder->summary.truncated = totals->truncated;
    recorder->summary.own_cpu_ns = cost.cpu_ns;
    recorder->summary.own_bpf_ns = cost.bpf_ns;
    recorder->summary.peak_rss_bytes = cost.peak_rss_bytes;
    for (size_t i = 0; i < recorder->event_count; i++)
        event__read_cost(&recorder->events[i], &recorder->summary.hits, &recorder->summary.hits_ns);
    *ret_summary = recorder->summary;
}

int recorder__run(struct recorder *recorder, struct fault *fault, struct recorder_summary *ret_summary)
{
    recorder->started_ns = now_ns(CLOCK_MONOTONIC);
    recorder->interval_start_ns = now_ns(CLOCK_REALTIME);
    int err = recorder->launch.pid > 0 ? launch__go(&recorder->launch, fault) : 0;
    if (!err)
        err = collect(recorder, fault);
    clear_status(recorder);
    recorder->summary.elapsed_ns = now_ns(CLOCK_MONOTONIC) - recorder->started_ns;
    if (recorder->launch.pid > 0) {
        recorder->summary.command_status = launch__end(&recorder->launch);
        recorder->summary.command_ended = true;
        recorder->command_reaped = true;
    }
    err = finish(recorder, err, fault);
    summarize(recorder, ret_summary);
    return err;
}
