// A recording while it runs: waits, handles, and ends.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "collector/session/recorder_insides.h"
#include "store/base/limits.h"

void recorder__clear_status(const struct recorder *recorder)
{
    if (recorder->options->show_status)
        fprintf(stderr, "\r\033[K");
}

// Many forks fill the table of processes: then the drain comes at once.
static int follow_processes(struct recorder *recorder, struct fault *fault)
{
    int err = recorder_interval__read_records(recorder);
    if (err)
        return fault__set(fault, err, "cannot follow the processes: %s", strerror(-err));
    return processes__is_crowded(recorder->processes) ? recorder_interval__keep(recorder, false, fault) : 0;
}

static void show_status(const struct recorder *recorder)
{
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    fprintf(stderr, "\r\033[Khearth: %llu s, %llu samples, %llu lost",
            (unsigned long long)((clock__ns(CLOCK_MONOTONIC) - recorder->started_ns) / 1000000000u),
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
    recorder__clear_status(recorder);
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
    recorder__clear_status(context);
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
        err = recorder_interval__keep(recorder, false, fault);
        return err ? err : recorder_interval__show_histograms(recorder, false);
    case ON_FILL:
        return fill__take(recorder->fill) ? recorder_interval__keep(recorder, false, fault) : 0;
    case ON_STATUS:
        swallow(recorder->timers[ON_STATUS - ON_DRAIN]);
        show_status(recorder);
        return 0;
    case ON_RECORDS:
        return follow_processes(recorder, fault);
    case ON_COPIES:
        err = recorder_interval__read_records(recorder);
        return err ? err : recorder_interval__read_copies(recorder, fault);
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
    uint64_t end_ns = clock__ns(CLOCK_MONOTONIC) + LIMIT_STORE_END_MS * 1000000ull;
    int err;
    do {
        err = keeper__retry(recorder->keeper, fault);
        if (!err)
            err = store_writer__flush(recorder->writer, fault);
    } while (err == -EBUSY && clock__ns(CLOCK_MONOTONIC) < end_ns);
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
    return err == -ENOBUFS ? 0 : err; // names that the store did not take are counted
}

// The last interval, the last names, and the end of the file. A failure before does not keep what can be kept from it.
static int finish(struct recorder *recorder, int err, struct fault *fault)
{
    if (!err)
        err = recorder_interval__settle_events(recorder, true, fault); // while there is something to settle
    bpf_meter__stop(recorder->meter);
    for (size_t i = 0; i < recorder->event_count; i++)
        loaded__detach(recorder->events[i].loaded);
    loaded__detach(recorder->targets);
    if (!err)
        err = count_left(recorder, fault);
    if (!err)
        err = recorder_interval__keep(recorder, true, fault);
    if (!err)
        err = recorder_interval__show_histograms(recorder, true);
    int late = take_last_names(recorder);
    recorder_interval__count_failures(recorder);
    recorder_interval__tell_unanswered(recorder);
    if (!late && !err)
        keeper__keep_losses(recorder->keeper, recorder->interval_start_ns, NULL); // else they wait
    int rest = settle_store(recorder, err || late ? NULL : fault);
    recorder->summary.is_incomplete = rest && !err && !late;
    struct store_writer *writer = take_pointer(recorder->writer);
    int closed = store_writer__close(writer, err || late || rest ? NULL : fault);
    return err ? err : late ? late : rest ? rest : closed;
}

static void end_command(struct recorder *recorder)
{
    struct launch *launch = &recorder->launch;
    int err = launch__end(launch, recorder->signal_fd, &recorder->summary.command_status);
    recorder->summary.command_ended = !err;
    recorder->command_left = true;
    if (err)
        fault__warn("'%s' (PID %d) runs on, SIGTERM has not ended it; the recording ends", launch->name, launch->pid);
    else if (launch->exec_error)
        fault__warn("cannot run '%s': %s", launch->name, strerror(-launch->exec_error));
}

int recorder__run(struct recorder *recorder, struct fault *fault, struct recorder_summary *ret_summary)
{
    struct own_cost cost;
    own_cost__read(recorder->meter, recorder->launch.pid, &cost);
    recorder->summary.start_cpu_ns = cost.cpu_ns;
    recorder->unwinder_cpu_ns = recorder->unwinder ? unwinder__cpu_ns(recorder->unwinder) : 0;
    recorder->started_ns = clock__ns(CLOCK_MONOTONIC);
    int err = recorder__start_timers(recorder, fault);
    if (!err && recorder->launch.pid > 0)
        err = launch__go(&recorder->launch, recorder->signal_fd, fault);
    if (!err)
        err = collect(recorder, fault);
    recorder__clear_status(recorder);
    recorder->summary.elapsed_ns = clock__ns(CLOCK_MONOTONIC) - recorder->started_ns;
    if (recorder->launch.pid > 0)
        end_command(recorder);
    err = finish(recorder, err, fault);
    recorder_summary__fill(recorder, ret_summary);
    return err;
}
