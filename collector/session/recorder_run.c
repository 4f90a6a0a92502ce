// A recording from its first interval to its last.
#include <errno.h>
#include <string.h>

#include "collector/session/recorder_insides.h"
#include "store/base/limits.h"

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
        err = keeper__flush(recorder->keeper, fault);
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
    recorder_interval__keep_losses(recorder);
    return err;
}

// Names come as fast as the store takes them.
static int take_last_names(struct recorder *recorder)
{
    int err = 0;
    for (bool is_busy = true; is_busy && !err;) {
        is_busy = naming__wait(recorder->naming);
        err = keeper__take_names(recorder->keeper, NULL);
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
    int late = recorder->options->is_forgotten ? 0 : take_last_names(recorder);
    recorder_interval__count_failures(recorder);
    recorder_interval__tell_unanswered(recorder);
    recorder_interval__leave_file(recorder, true); // all of its names are here; its losses go to the file of now
    if (!late && !err)
        recorder_interval__keep_losses(recorder); // else they wait
    int rest = settle_store(recorder, err || late ? NULL : fault);
    recorder->summary.is_incomplete = rest && !err && !late;
    int closed = keeper__close(recorder->keeper, err || late || rest ? NULL : fault);
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
    recorder_interval__read_cost(recorder, &cost);
    recorder->summary.start_cpu_ns = cost.cpu_ns;
    recorder->unwinder_cpu_ns = recorder->unwinder ? unwinder__cpu_ns(recorder->unwinder) : 0;
    recorder->started_ns = clock__ns(CLOCK_MONOTONIC);
    int err = recorder_watch__start_timers(recorder, fault);
    if (!err && recorder->launch.pid > 0)
        err = launch__go(&recorder->launch, recorder->signal_fd, fault);
    if (!err)
        err = loop__run(recorder->loop, fault);
    recorder__clear_status(recorder);
    recorder->summary.elapsed_ns = clock__ns(CLOCK_MONOTONIC) - recorder->started_ns;
    if (recorder->launch.pid > 0)
        end_command(recorder);
    err = finish(recorder, err, fault);
    recorder_summary__fill(recorder, ret_summary);
    return err;
}
