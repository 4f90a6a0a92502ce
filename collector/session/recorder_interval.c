// One interval of a recording: counts what goes on, drains, reads what tells of the drained samples, and keeps it all.
#include <errno.h>
#include <string.h>

#include "collector/session/recorder_insides.h"
#include "store/base/limits.h"
#include "symbolizer/opening/opener.h"

// A clock that was set meanwhile, or a machine that slept: the interval keeps its length, and ends now.
static bool follow_clock(struct recorder *recorder, uint64_t now_ns)
{
    uint64_t monotonic_ns = clock__ns(CLOCK_MONOTONIC);
    uint64_t length_ns = monotonic_ns - recorder->interval_began_ns,
             expected_ns = recorder->interval_start_ns + length_ns;
    uint64_t step_ns = now_ns > expected_ns ? now_ns - expected_ns : expected_ns - now_ns;
    recorder->interval_began_ns = monotonic_ns;
    if (step_ns < LIMIT_CLOCK_STEP_NS)
        return false;
    recorder->interval_start_ns = now_ns - length_ns;
    recorder__clear_status(recorder);
    fault__warn("the clock has gone %s by %.0f s; intervals go on by the new time",
                now_ns > expected_ns ? "forward" : "back", (double)step_ns / 1e9);
    return true;
}

// A child that died, and was not waited for by this process, takes its time along.
static uint64_t since(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

void recorder_interval__read_cost(struct recorder *recorder, struct own_cost *ret_cost)
{
    const struct recorder_owner *owner = recorder->options->owner;
    const struct own_cost_others others = {.command = recorder->launch.pid, .starter = owner ? owner->starter : 0};
    own_cost__read(recorder->meter, others, ret_cost);
    ret_cost->written_bytes += owner && owner->written ? owner->written(owner->context) : 0;
}

// The maps are measured when they hold most: before the drain.
static void measure_interval(struct recorder *recorder, uint64_t now_ns, uint64_t map_bytes,
                             struct store_interval *interval)
{
    struct own_cost cost;
    recorder_interval__read_cost(recorder, &cost);
    interval->start_ns = recorder->interval_start_ns;
    interval->end_ns = recorder->interval_start_ns = now_ns;
    interval->own_cpu_ns = since(recorder->told.cpu_ns, cost.cpu_ns);
    interval->own_bpf_ns = cost.bpf_ns - recorder->told.bpf_ns;
    interval->own_rss_bytes = cost.rss_bytes;
    interval->own_map_bytes = map_bytes;
    interval->own_written_bytes = since(recorder->told.written_bytes, cost.written_bytes);
    recorder->told = cost;
}

int recorder_interval__settle_events(struct recorder *recorder, bool is_last, struct fault *fault)
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
int recorder_interval__read_records(struct recorder *recorder)
{
    int err = perf_records__read(recorder->records, recorder->processes);
    if (recorder->unwinder && processes__replaced(recorder->processes) != recorder->mappings_replaced)
        unwinder__forget_mappings(recorder->unwinder);
    recorder->mappings_replaced = processes__replaced(recorder->processes);
    return err;
}

int recorder_interval__read_copies(struct recorder *recorder, struct fault *fault)
{
    int err = copy_stacks__read(recorder->copies);
    return err ? fault__set(fault, err, "cannot unwind the copied stacks: %s", strerror(-err)) : 0;
}

// All copies of the set that is drained now have been read.
static int take_copies(struct recorder *recorder, uint32_t set, struct fault *fault)
{
    keeper__lose(recorder->keeper, WIRE_LOSS_STACK_CUT, copy_stacks__cut(recorder->copies));
    keeper__lose(recorder->keeper, WIRE_LOSS_STACK_BROKEN, copy_stacks__broken(recorder->copies));
    int err = copy_stacks__hand_over(recorder->copies, set, recorder->drain);
    return err ? fault__set(fault, err, "out of memory") : 0;
}

static int take_histograms(struct recorder *recorder, struct keeper_interval *interval, struct fault *fault)
{
    if (!recorder->hist)
        return 0;
    int err = hist__take(recorder->hist, interval->drained, keeper__event_rows(recorder->keeper), &interval->histograms,
                         &interval->histogram_count);
    return err ? fault__set(fault, err, "cannot add up the histograms: %s", strerror(-err)) : 0;
}

int recorder_interval__show_histograms(struct recorder *recorder, bool is_last)
{
    const struct histogram_list *list;
    if (!recorder->hist || !recorder->options->show)
        return 0;
    int err = hist__totals(recorder->hist, &list);
    if (!err)
        recorder->options->show(list, is_last, recorder->options->show_context);
    return err;
}

// Names and rows that could not be made, files that could not be opened, hits that the kernel left out.
void recorder_interval__count_failures(struct recorder *recorder)
{
    struct naming_losses names = naming__losses(recorder->naming);
    keeper__lose(recorder->keeper, WIRE_LOSS_NAMES_FAILED, names.failed);
    keeper__lose(recorder->keeper, WIRE_LOSS_NAMES_PARTIAL, names.partial);
    keeper__lose(recorder->keeper, WIRE_LOSS_FILES_UNANSWERED, opener__unanswered());
    keeper__lose(recorder->keeper, WIRE_LOSS_THROTTLED, perf_records__throttled(recorder->records));
    keeper__lose(recorder->keeper, WIRE_LOSS_RECURSION_MISSES, bpf_meter__misses(recorder->meter));
    if (recorder->guests)
        keeper__lose(recorder->keeper, WIRE_LOSS_GUEST_CODES_FULL, guest_codes__refused(recorder->guests));
    if (recorder->unwinder)
        keeper__lose(recorder->keeper, WIRE_LOSS_ROWS_FAILED, unwinder__totals(recorder->unwinder).failed);
}

// A CPU that was offline has lost what was opened on it, or never had it. Between its return and this, what ran on it
// was not seen.
static int follow_cpus(struct recorder *recorder, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; i < perf_records__fd_count(recorder->records) && !err; i++) {
        uint32_t cpu;
        if (!perf_records__came_back(recorder->records, i, &cpu))
            continue;
        err = loop__add(recorder->loop, perf_records__fd(recorder->records, i), recorder_watch__on_records, recorder);
        recorder__clear_status(recorder);
        fault__warn("CPU %u was offline; from now on it is recorded", cpu);
    }
    for (size_t i = 0; i < recorder->event_count && !err; i++) {
        struct event *event = &recorder->events[i];
        if (event->attached && event->source->follow_cpus)
            err = event->source->follow_cpus(event);
    }
    return err ? fault__set(fault, err, "cannot record a CPU that has come online: %s", strerror(-err)) : 0;
}

// Whether time, or another program, may end what keeps the store from taking an interval.
static bool may_pass(int err)
{
    return err == -EBUSY || err == -ENOSPC || err == -EDQUOT || err == -ENOMEM;
}

// Intervals go to another file, and the names that this one still wants have until the next change to come.
static int change_file(struct recorder *recorder)
{
    struct fault fault = {0};
    recorder_interval__leave_file(recorder, true);
    int err = recorder__begin_file(recorder, &fault);
    if (err && !recorder->has_said_file) {
        recorder__clear_status(recorder);
        fault__say(&fault, err);
    }
    recorder->has_said_file = err != 0;
    return err;
}

// With an owner there is another file, where one is damaged, or on a file system that takes nothing any more and may be
// mounted anew: the next interval tries again.
static int replace_file(struct recorder *recorder, int err, const struct fault *why)
{
    const struct recorder_owner *owner = recorder->options->owner;
    if (!owner || !err || may_pass(err) || (err != -EBADMSG && !keeper__waits(recorder->keeper)))
        return err;
    recorder__clear_status(recorder);
    if (!recorder->has_said_waiting)
        fault__say(why, err);
    recorder->has_said_waiting = true;
    if (err == -EBADMSG)
        owner->lose_store(owner->context);
    return change_file(recorder) == 0 ? 0 : err;
}

// The interval that begins at interval_start_ns may belong to another file.
static void leave_day(struct recorder *recorder)
{
    const struct recorder_owner *owner = recorder->options->owner;
    if (owner && owner->leaves_store(owner->context, recorder->interval_start_ns))
        change_file(recorder);
}

static struct recorder_drained describe(struct recorder *recorder, const struct keeper_interval *interval)
{
    return (struct recorder_drained){.recorder = recorder,
                                     .interval = &interval->row,
                                     .counts = interval->drained->counts,
                                     .count_of_counts = interval->drained->count_of_counts,
                                     .events = recorder->events,
                                     .event_rows = keeper__event_rows(recorder->keeper),
                                     .event_count = recorder->event_count,
                                     .histograms = interval->histograms,
                                     .histogram_count = interval->histogram_count,
                                     .losses = keeper__told_losses(recorder->keeper)};
}

// Before the processes that have exited are forgotten, and before another file numbers the events anew.
static void tell_kept(struct recorder *recorder, const struct keeper_interval *interval)
{
    const struct recorder_owner *owner = recorder->options->owner;
    if (!owner || !owner->kept)
        return;
    const struct recorder_drained drained = describe(recorder, interval);
    owner->kept(owner->context, &drained);
}

void recorder_interval__keep_losses(struct recorder *recorder)
{
    struct drained drained = {0};
    const uint64_t end_ns = recorder->interval_start_ns;
    const struct keeper_interval none = {.drained = &drained, .row = {.start_ns = end_ns, .end_ns = end_ns}};
    if (keeper__keep_losses(recorder->keeper, end_ns, NULL) == 0)
        tell_kept(recorder, &none);
}

static void tell_owner(struct recorder *recorder, const struct keeper_interval *interval)
{
    const struct recorder_owner *owner = recorder->options->owner;
    const struct recorder_drained drained = describe(recorder, interval);
    if (owner)
        owner->drained(owner->context, &drained);
    leave_day(recorder);
}

// The recording goes on while intervals wait for the store; the last one is tried again by settle_store. An
// error that does not pass ends the recording, unless there is a command, which runs to its end without one.
static int go_on(struct recorder *recorder, int err, bool is_last, const struct fault *fault)
{
    err = replace_file(recorder, err, fault);
    if (!err || !keeper__waits(recorder->keeper)) {
        recorder->has_said_waiting = recorder->has_said_waiting && err;
        return err;
    }
    if (!may_pass(err) && recorder->launch.pid <= 0 && !recorder->options->owner)
        loop__stop(recorder->loop);
    if (!is_last && !loop__is_stopped(recorder->loop) && !recorder->has_said_waiting) {
        recorder__clear_status(recorder);
        fault__warn("%s. Recording goes on: samples wait in memory", fault->text);
        recorder->has_said_waiting = true;
    }
    return 0;
}

void recorder_interval__tell_unanswered(const struct recorder *recorder)
{
    char text[512];
    while (opener__tell(text, sizeof(text))) {
        recorder__clear_status(recorder);
        fault__warn("%s", text);
    }
}

void recorder_interval__leave_file(struct recorder *recorder, bool now)
{
    struct fault fault = {0};
    int err = keeper__leave_file(recorder->keeper, now, &fault);
    if (!err)
        return;
    recorder__clear_status(recorder);
    fault__say(&fault, err);
}

int recorder_interval__keep(struct recorder *recorder, bool is_last, struct fault *fault)
{
    struct drained drained;
    struct keeper_interval interval = {.drain = recorder->drain, .drained = &drained, .is_last = is_last};
    int err = is_last ? 0 : follow_cpus(recorder, fault);
    if (!err && !is_last)
        err = recorder_interval__settle_events(recorder, false, fault);
    if (err)
        return err;
    uint64_t map_bytes = loader__map_bytes(recorder->loader);
    err = drain__run(recorder->drain, fault, &drained);
    if (err)
        return err;
    fill__clear(recorder->fill, drained.set);
    // After the flip: the cgroups and mappings of the drained samples have been made before.
    cgroup_names__read(recorder->cgroups);
    if (recorder->guests)
        guest_codes__read(recorder->guests);
    // Copies first: each needs the records up to its own time, and no later ones.
    err = recorder->copies ? recorder_interval__read_copies(recorder, fault) : 0;
    if (err)
        return err;
    err = recorder_interval__read_records(recorder);
    if (err)
        return fault__set(fault, err, "cannot follow the processes: %s", strerror(-err));
    err = recorder->copies ? take_copies(recorder, drained.set, fault) : 0;
    if (!err)
        err = keeper__take_names(recorder->keeper, fault);
    if (err && err != -ENOBUFS) // names that a full disk does not take wait
        return err;
    recorder_interval__leave_file(recorder, false);
    uint64_t now_ns = clock__ns(CLOCK_REALTIME);
    if (follow_clock(recorder, now_ns))
        leave_day(recorder);
    measure_interval(recorder, now_ns, map_bytes, &interval.row);
    recorder_interval__count_failures(recorder);
    interval.records_lost = perf_records__lost(recorder->records);
    err = take_histograms(recorder, &interval, fault);
    if (!err)
        err = keeper__keep(recorder->keeper, &interval, fault);
    recorder_status__note(recorder, &interval.row);
    if (!err || keeper__waits(recorder->keeper))
        tell_kept(recorder, &interval);
    err = go_on(recorder, err, is_last, fault);
    recorder_events__forget(recorder);
    recorder_interval__tell_unanswered(recorder);
    processes__forget_exited(recorder->processes);
    naming__start(recorder->naming);
    if (!err && !is_last)
        tell_owner(recorder, &interval);
    return err;
}
