// A recording while it runs: waits, drains, keeps, and ends.
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "collector/recorder_insides.h"
#include "store/base/limits.h"
#include "symbolizer/opener.h"

static void measure_interval(struct recorder *recorder, struct store_interval *interval)
{
    struct own_cost cost;
    own_cost__read(recorder->meter, recorder->launch.pid, &cost);
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
    if (recorder->early)
        early_waits__unwind(recorder->early);
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

// Names and rows that could not be made, whoever found out.
static void count_failures(struct recorder *recorder)
{
    struct naming_losses names = naming__losses(recorder->naming);
    keeper__lose(recorder->keeper, WIRE_LOSS_NAMES_FAILED, names.failed);
    keeper__lose(recorder->keeper, WIRE_LOSS_NAMES_PARTIAL, names.partial);
    keeper__lose(recorder->keeper, WIRE_LOSS_FILES_UNANSWERED, opener__unanswered());
    if (recorder->unwinder)
        keeper__lose(recorder->keeper, WIRE_LOSS_ROWS_FAILED, unwinder__totals(recorder->unwinder).failed);
}

static void clear_status(const struct recorder *recorder)
{
    if (recorder->options->show_status)
        fprintf(stderr, "\r\033[K");
}

// A CPU that was offline has lost what was opened on it. Between its return and this, what ran on it was not seen.
static int follow_cpus(struct recorder *recorder, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; i < perf_records__fd_count(recorder->records) && !err; i++) {
        uint32_t cpu;
        if (!perf_records__came_back(recorder->records, i, &cpu))
            continue;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)ON_RECORDS << 32 | i};
        int fd = perf_records__fd(recorder->records, i);
        err = epoll_ctl(recorder->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
        clear_status(recorder);
        fault__warn("CPU %u was offline; from now on it is recorded again", cpu);
    }
    for (size_t i = 0; i < recorder->event_count && !err; i++) {
        struct event *event = &recorder->events[i];
        if (event->attached && event->source->follow_cpus)
            err = event->source->follow_cpus(event);
    }
    return err ? fault__set(fault, err, "cannot record a CPU again that is back: %s", strerror(-err)) : 0;
}

// Whether time, or another program, may end what keeps the store from taking an interval.
static bool may_pass(int err)
{
    return err == -EBUSY || err == -ENOSPC || err == -EDQUOT || err == -ENOMEM;
}

// The recording goes on while intervals wait for the store; the last one is tried again by settle_store. What does not
// pass ends the recording, unless there is a command: that is not stopped for the sake of its recording.
static int go_on(struct recorder *recorder, int err, bool is_last, const struct fault *fault)
{
    if (!err || !keeper__waits(recorder->keeper)) {
        recorder->has_said_waiting = recorder->has_said_waiting && err;
        return err;
    }
    recorder->done = recorder->done || (!may_pass(err) && recorder->launch.pid <= 0);
    if (!is_last && !recorder->done && !recorder->has_said_waiting) {
        clear_status(recorder);
        fault__warn("%s. Recording goes on: samples wait in memory", fault->text);
        recorder->has_said_waiting = true;
    }
    return 0;
}

static void tell_unanswered(const struct recorder *recorder)
{
    char text[512];
    while (opener__tell(text, sizeof(text))) {
        clear_status(recorder);
        fault__warn("%s", text);
    }
}

static int keep_interval(struct recorder *recorder, bool is_last, struct fault *fault)
{
    struct keeper_histograms histograms;
    struct drained drained;
    struct store_interval interval = {0};
    int err = is_last ? 0 : follow_cpus(recorder, fault);
    if (!err && !is_last)
        err = settle_events(recorder, false, fault);
    if (err)
        return err;
    err = drain__run(recorder->drain, fault, &drained);
    if (err)
        return err;
    fill__clear(recorder->fill, drained.set);
    // After the flip: what the samples ran in has been made and mapped before.
    cgroup_names__read(recorder->cgroups);
    err = read_records(recorder);
    if (err)
        return fault__set(fault, err, "cannot follow the processes: %s", strerror(-err));
    err = recorder->copies ? take_copies(recorder, drained.set, fault) : 0;
    if (err)
        return err;
    err = naming__collect(recorder->naming, recorder->writer);
    if (err && err != -ENOBUFS) // names without room wait
        return fault__set(fault, err, "cannot keep the names: %s", strerror(-err));
    measure_interval(recorder, &interval);
    count_failures(recorder);
    err = take_histograms(recorder, &drained, &histograms, fault);
    if (!err)
        err = keeper__keep(recorder->keeper, recorder->drain, &drained, &histograms, &interval,
                           perf_records__lost(recorder->records), is_last, fault);
    err = go_on(recorder, err, is_last, fault);
    tell_unanswered(recorder);
    processes__forget_exited(recorder->processes);
    naming__start(recorder->naming);
    return err;
}

// Records that fill the table of processes, of the storm of forks that they tell of, bring the drain forward.
static int follow_processes(struct recorder *recorder, struct fault *fault)
{
    int err = read_records(recorder);
    if (err)
        return fault__set(fault, err, "cannot follow the processes: %s", strerror(-err));
    return processes__is_crowded(recorder->processes) ? keep_interval(recorder, false, fault) : 0;
}

static void show_status(const struct recorder *recorder)
{
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    fprintf(stderr, "\r\033[Khearth: %llu s, %llu samples, %llu lost",
            (unsigned long long)((now_ns(CLOCK_MONOTONIC) - recorder->started_ns) / 1000000000u),
            (unsigned long long)drain__emitted(recorder->drain), (unsigned long long)totals->lost);
    fflush(stderr);
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

static void say_pace(void *context, const char *text)
{
    clear_status(context);
    fault__warn("%s", text);
}

static int handle(struct recorder *recorder, const struct epoll_event *event, struct fault *fault)
{
    int err;
    switch (event->data.u64 >> 32) {
    case ON_SIGNAL:
        swallow(recorder->signal_fd); // a second signal is another one
        recorder->done = true;
        return 0;
    case ON_END:
        recorder->done = true;
        return 0;
    case ON_DRAIN:
        swallow(recorder->timers[ON_DRAIN - ON_DRAIN]);
        err = keep_interval(recorder, false, fault);
        return err ? err : show_histograms(recorder, false);
    case ON_FILL:
        return fill__take(recorder->fill) ? keep_interval(recorder, false, fault) : 0;
    case ON_STATUS:
        swallow(recorder->timers[ON_STATUS - ON_DRAIN]);
        show_status(recorder);
        return 0;
    case ON_RECORDS:
        return follow_processes(recorder, fault);
    case ON_COPIES:
        err = read_records(recorder);
        return err ? err : read_copies(recorder, fault);
    case ON_CGROUPS:
        cgroup_names__read(recorder->cgroups);
        return 0;
    case ON_METER:
        bpf_meter__tick(recorder->meter);
        return 0;
    case ON_PACE:
        governor__tick(recorder->governor, bpf_meter__ns(recorder->meter), say_pace, recorder);
        return 0;
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

static int count_left(struct recorder *recorder, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; i < recorder->event_count && !err; i++) {
        struct event *event = &recorder->events[i];
        if (event->attached && event->source->leave)
            err = event->source->leave(event);
    }
    return err ? fault__set(fault, err, "cannot count what has not ended: %s", strerror(-err)) : 0;
}

// Another program's lock is waited for, for so long; a disk stays as full as it is.
static int store_the_rest(struct recorder *recorder, struct fault *fault)
{
    uint64_t end_ns = now_ns(CLOCK_MONOTONIC) + LIMIT_STORE_END_MS * 1000000ull;
    int err;
    do {
        err = keeper__retry(recorder->keeper, fault);
        if (!err)
            err = store_writer__flush(recorder->writer, fault);
    } while (err == -EBUSY && now_ns(CLOCK_MONOTONIC) < end_ns);
    return err;
}

// All that waits goes to the store, or is counted as lost: the error then.
static int settle_store(struct recorder *recorder, struct fault *fault)
{
    int err = store_the_rest(recorder, fault);
    if (!err)
        return 0;
    keeper__give_up(recorder->keeper);
    keeper__keep_losses(recorder->keeper, recorder->interval_start_ns, NULL);
    return err;
}

// Names come as fast as the store takes them.
static int take_last_names(struct recorder *recorder)
{
    int err = 0;
    for (bool is_busy = true; is_busy && !err;) {
        is_busy = naming__wait(recorder->naming);
        err = naming__collect(recorder->naming, recorder->writer);
    }
    return err == -ENOBUFS ? 0 : err; // those that found no room are counted
}

// The last interval, the last names, and the end of the file. A failure before does not keep what can be kept from it.
static int finish(struct recorder *recorder, int err, struct fault *fault)
{
    if (!err)
        err = settle_events(recorder, true, fault); // while there is something to settle
    bpf_meter__stop(recorder->meter);
    for (size_t i = 0; i < recorder->event_count; i++)
        loaded__detach(recorder->events[i].loaded);
    loaded__detach(recorder->targets);
    if (!err)
        err = count_left(recorder, fault);
    if (!err)
        err = keep_interval(recorder, true, fault);
    if (!err)
        err = show_histograms(recorder, true);
    int late = take_last_names(recorder);
    count_failures(recorder);
    tell_unanswered(recorder);
    if (!late && !err)
        keeper__keep_losses(recorder->keeper, recorder->interval_start_ns, NULL); // else they wait
    int rest = settle_store(recorder, err || late ? NULL : fault);
    recorder->summary.is_incomplete = rest && !err && !late;
    struct store_writer *writer = take_pointer(recorder->writer);
    int closed = store_writer__close(writer, err || late || rest ? NULL : fault);
    return err ? err : late ? late : rest ? rest : closed;
}

// What the event has counted itself, which is less than its hits where a filter has passed over some.
static uint64_t count_hits(struct recorder *recorder, const struct event *event)
{
    const struct histogram_list *list;
    uint64_t count = 0;
    if (!recorder->hist)
        return keeper__totals(recorder->keeper)->event_samples[event - recorder->events];
    if (hist__totals(recorder->hist, &list) != 0)
        return 0;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->probe, event->spelled) == 0)
            count += list->items[i]->count + list->items[i]->unmatched + list->items[i]->lost;
    return count;
}

// Only what is put on code is asked about; and what was never hit cost nothing.
static void add_cost(struct recorder *recorder, const struct event *event)
{
    uint64_t runs, ns;
    event__read_runs(event, &runs, &ns);
    if (!runs || !strchr(event->spelled, ':'))
        return;
    double scale = bpf_meter__scale(recorder->meter), runs_a_hit = event->is_call || event->is_pair ? 2 : 1;
    uint64_t hits = (uint64_t)((double)runs * scale / runs_a_hit + 0.5), counted = count_hits(recorder, event);
    recorder->summary.costs[recorder->summary.cost_count++] = (struct probe_cost){
        .spelled = event->spelled,
        .hits = counted,
        .passed_over = hits > 2 * counted ? hits - counted : 0, // what is estimated may be wrong by as much
        .is_call = event->is_call,
        .is_pair = event->is_pair,
        .program_ns = (uint32_t)((double)ns * runs_a_hit / (double)runs),
        .trap = event->trap,
    };
}

static void summarize(struct recorder *recorder, struct recorder_summary *ret_summary)
{
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    struct own_cost cost;
    own_cost__read(recorder->meter, recorder->launch.pid, &cost);
    recorder->summary.samples = totals->samples - totals->not_stored;
    recorder->summary.stacks = totals->stacks;
    recorder->summary.lost = totals->lost;
    recorder->summary.truncated = totals->truncated;
    recorder->summary.clocked_samples = totals->clocked.samples;
    recorder->summary.clocked_ns = totals->clocked.ns;
    recorder->summary.unsampled_ns = totals->clocked.unsampled_ns;
    recorder->summary.own_cpu_ns = cost.cpu_ns;
    recorder->summary.own_bpf_ns = cost.bpf_ns;
    if (recorder->unwinder)
        recorder->summary.start_cpu_ns += unwinder__totals(recorder->unwinder).start_cpu_ns;
    recorder->summary.peak_rss_bytes = cost.peak_rss_bytes;
    for (size_t i = 0; i < recorder->event_count; i++)
        add_cost(recorder, &recorder->events[i]);
    *ret_summary = recorder->summary;
}

const char *recorder_summary__cost(const struct recorder_summary *summary, char out[RECORDER_COST_BYTES])
{
    double all_s = (double)(summary->own_cpu_ns + summary->own_bpf_ns) / 1e9;
    double start_s = (double)summary->start_cpu_ns / 1e9, elapsed_s = (double)summary->elapsed_ns / 1e9;
    double running_s = all_s > start_s ? all_s - start_s : 0;
    snprintf(out, RECORDER_COST_BYTES,
             "%.2f s of CPU: %.2f s to start, %.2f s in %.1f s of recording (%.2f %% of a CPU); %.1f MiB", all_s,
             start_s, running_s, elapsed_s, elapsed_s > 0 ? 100 * running_s / elapsed_s : 0,
             (double)summary->peak_rss_bytes / (1024 * 1024));
    return out;
}

static void end_command(struct recorder *recorder)
{
    struct launch *launch = &recorder->launch;
    int err = launch__end(launch, recorder->signal_fd, &recorder->summary.command_status);
    recorder->summary.command_ended = !err;
    recorder->command_left = true;
    if (err)
        fault__warn("'%s' (PID %d) runs on, SIGTERM has not ended it; the recording ends", launch->name, launch->pid);
}

int recorder__run(struct recorder *recorder, struct fault *fault, struct recorder_summary *ret_summary)
{
    struct own_cost cost;
    own_cost__read(recorder->meter, recorder->launch.pid, &cost);
    recorder->summary.start_cpu_ns = cost.cpu_ns;
    recorder->started_ns = now_ns(CLOCK_MONOTONIC);
    int err = recorder__start_timers(recorder, fault);
    if (!err && recorder->launch.pid > 0)
        err = launch__go(&recorder->launch, recorder->signal_fd, fault);
    if (!err)
        err = collect(recorder, fault);
    clear_status(recorder);
    recorder->summary.elapsed_ns = now_ns(CLOCK_MONOTONIC) - recorder->started_ns;
    if (recorder->launch.pid > 0)
        end_command(recorder);
    err = finish(recorder, err, fault);
    summarize(recorder, ret_summary);
    return err;
}
