// The events of a recording change while it runs. Each new one takes a place of recorder->events that is free, with an
// object of its own, although it may have been there before: the maps of its old object remember calls and waits from
// before, which must not end now. The place of an event that is detached stays its own for two drains. A program that
// ran on another CPU when it was detached may have read the active set before the first of them, and write to it up to
// the second one.
#include <errno.h>
#include <string.h>

#include "collector/session/recorder_insides.h"
#include "collector/sources/sources.h"

enum { LATE_DRAINS = 2 };

bool recorder_event__is(const struct recorder_event *event, const struct recorder_event *other)
{
    return strcmp(event->spelled, other->spelled) == 0 && !event->hist == !other->hist;
}

int recorder__check_event(const struct recorder_event *wanted, struct fault *fault)
{
    const struct recorder_options options = {.frequency_hz = 1};
    struct event event = recorder_programs__describe(&options, wanted);
    int err = sources__parse(&event, fault);
    event__release(&event);
    return err;
}

static bool is_among(const struct event *event, const struct recorder_event *events, size_t count)
{
    const struct recorder_event mine = {.spelled = event->spelled, .hist = event->hist};
    for (size_t i = 0; i < count; i++)
        if (recorder_event__is(&events[i], &mine))
            return true;
    return false;
}

static bool is_attached(const struct recorder *recorder, const struct recorder_event *wanted)
{
    for (size_t i = 0; i < recorder->event_count; i++)
        if (recorder->events[i].attached && is_among(&recorder->events[i], wanted, 1))
            return true;
    return false;
}

static int find_place(struct recorder *recorder, size_t *ret_index)
{
    for (size_t i = 0; i < WIRE_EVENTS_MAX; i++)
        if (!recorder->events[i].source) {
            *ret_index = i;
            return 0;
        }
    return -EXFULL;
}

// The store, the histograms and the governor learn of it; none of them has seen a sample of it yet.
static int announce(struct recorder *recorder, size_t index, struct fault *fault)
{
    const struct event *event = &recorder->events[index];
    if (event->hist)
        hist__set_event(recorder->hist, event);
    governor__set_event(recorder->governor, index);
    return keeper__set_event(recorder->keeper, index, fault);
}

static void empty(struct recorder *recorder, size_t index)
{
    struct event *event = &recorder->events[index];
    if (event->hist)
        hist__forget_event(recorder->hist, event);
    recorder_programs__release_event(recorder, event);
    governor__set_event(recorder->governor, index);
}

static int detach(struct recorder *recorder, struct event *event, struct fault *fault)
{
    int err = event->source->settle ? event->source->settle(event, recorder->drain, true) : 0;
    loaded__detach(event->loaded);
    event->attached = false;
    event->drains_to_come = LATE_DRAINS;
    if (!err && event->source->leave)
        err = event->source->leave(event);
    return err ? fault__set(fault, err, "cannot count what of '%s' has not ended: %s", event->spelled, strerror(-err))
               : 0;
}

static int add(struct recorder *recorder, const struct recorder_event *wanted, struct fault *fault)
{
    size_t index;
    if (find_place(recorder, &index) != 0)
        return fault__set(fault, -EXFULL, "this recording has had more than %d events", WIRE_EVENTS_MAX);
    struct event *event = &recorder->events[index];
    *event = recorder_programs__describe(recorder->options, wanted);
    event->spelled = event->copied = strdup(wanted->spelled);
    if (!event->copied)
        return fault__set(fault, -ENOMEM, "out of memory");
    recorder->event_count = index >= recorder->event_count ? index + 1 : recorder->event_count;
    int err = recorder_programs__begin_event(recorder, event, fault);
    loader__give_back_types(recorder->loader);
    if (err) {
        recorder_programs__release_event(recorder, event);
        return err;
    }
    err = announce(recorder, index, fault);
    if (err)
        empty(recorder, index);
    return err;
}

// Says each failure but the last, where nothing else could be had: then that is the caller's error.
static int add_new(struct recorder *recorder, const struct recorder_event *events, size_t count, struct fault *fault)
{
    size_t attached = 0;
    int err = 0;
    for (size_t i = 0; i < count && err != -EXFULL; i++) {
        bool is_new = !is_attached(recorder, &events[i]);
        err = is_new ? add(recorder, &events[i], fault) : 0;
        attached += !err;
        recorder__clear_status(recorder);
        if (err && err != -EXFULL && (attached || i + 1 < count))
            fault__say(fault, err);
        else if (is_new && !err)
            fault__warn("'%s' is recorded from now on", events[i].spelled);
    }
    return err == -EXFULL || !attached ? err : 0;
}

static void detach_old(struct recorder *recorder, const struct recorder_event *events, size_t count)
{
    for (size_t i = 0; i < recorder->event_count; i++) {
        struct event *event = &recorder->events[i];
        struct fault fault = {0};
        if (!event->attached || is_among(event, events, count))
            continue;
        int err = detach(recorder, event, &fault);
        recorder__clear_status(recorder);
        if (err)
            fault__say(&fault, err);
        fault__warn("'%s' is recorded no more", event->spelled);
    }
}

int recorder__change_events(struct recorder *recorder, const struct recorder_event *events, size_t count,
                            struct fault *fault)
{
    int err = recorder_programs__check(events, count, fault);
    if (!err)
        err = add_new(recorder, events, count, fault);
    if (err)
        return err;
    detach_old(recorder, events, count);
    return 0;
}

void recorder_events__forget(struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->event_count; i++)
        if (recorder->events[i].drains_to_come && --recorder->events[i].drains_to_come == 0)
            empty(recorder, i);
}

void recorder__set_share(struct recorder *recorder, double bpf_share)
{
    governor__set_share(recorder->governor, bpf_share);
}

void recorder__set_halvings(struct recorder *recorder, uint32_t halvings)
{
    governor__set_halvings(recorder->governor, halvings);
}

int recorder__add_incident(struct recorder *recorder, const struct store_incident *incident, struct fault *fault)
{
    return keeper__add_incident(recorder->keeper, incident, fault);
}

int recorder__cgroup(const struct recorder *recorder, uint64_t id, char *ret_path, size_t bytes)
{
    return id ? cgroup_names__path(recorder->cgroups, id, ret_path, bytes) : -ENOENT;
}

const char *recorder__exe(const struct recorder *recorder, uint32_t tgid, uint64_t start_boot_ns)
{
    const struct process *process = processes__get(recorder->processes, tgid, start_boot_ns);
    return process && process->exe ? process->exe : "";
}

void recorder__lose(struct recorder *recorder, enum wire_loss loss, uint64_t count_since_start)
{
    keeper__lose(recorder->keeper, loss, count_since_start);
}
