// The BPF programs of a recording: parses the events, loads the objects, attaches the programs.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>

#include "collector/programs/feature.h"
#include "collector/programs/fill.h"
#include "collector/session/cache_folder.h"
#include "collector/session/recorder_insides.h"
#include "collector/sources/sources.h"
#include "store/base/limits.h"

static bool is_named_before(const struct recorder_event *events, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (recorder_event__is(&events[i], &events[index]))
            return true;
    return false;
}

int recorder_programs__check(const struct recorder_event *events, size_t count, struct fault *fault)
{
    if (count > WIRE_EVENTS_MAX)
        return fault__set_code(fault, EXIT_CODE_USAGE, -E2BIG, "more than %d events in one recording", WIRE_EVENTS_MAX);
    for (size_t i = 0; i < count; i++)
        if (is_named_before(events, i))
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "'%s' is named twice", events[i].spelled);
    return 0;
}

struct event recorder_programs__describe(const struct recorder_options *options, const struct recorder_event *wanted)
{
    return (struct event){
        .spelled = wanted->spelled,
        .frequency_hz = wanted->hist ? 0 : options->frequency_hz,
        .period = wanted->hist ? 1 : options->period, // of a histogram, each hit is a value
        .min_ns = options->min_wait_ns,
        .max_ns = options->max_wait_ns,
        .hist = wanted->hist,
    };
}

int recorder_programs__parse(struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    int err = recorder_programs__check(options->events, options->event_count, fault);
    for (size_t i = 0; i < options->event_count && !err; i++) {
        struct event *event = &recorder->events[recorder->event_count++];
        *event = recorder_programs__describe(options, &options->events[i]);
        err = sources__parse(event, fault);
    }
    return err;
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

int recorder_programs__prepare(struct recorder *recorder, struct fault *fault)
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

// From here on no event is left out any more.
static void number_histograms(struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->event_count; i++)
        if (recorder->events[i].hist)
            recorder->events[i].hist_number = (uint32_t)recorder->hist_count++;
}

static bool has_keys(const struct event *event)
{
    return event->hist && (event->hist->by != WIRE_HIST_BY_NOTHING || event->hist_groups);
}

// With keys, as many as fit into a share of memory.
static uint32_t bound_hists(const struct recorder *recorder)
{
    size_t keyed = 0;
    for (size_t i = 0; i < recorder->event_count; i++)
        keyed += has_keys(&recorder->events[i]);
    size_t least = keyed * WIRE_HIST_CELLS, cpus = (size_t)libbpf_num_possible_cpus();
    size_t most = LIMIT_HIST_BYTES / (sizeof(struct wire_hist_cell) * cpus);
    return (uint32_t)(!keyed ? 1 : most > least ? most : least);
}

// All buckets of the histograms, up to the last that has no keys, and of those that an owner may add.
static uint32_t bound_cells(const struct recorder *recorder)
{
    uint32_t count = 0;
    for (size_t i = 0; i < recorder->event_count; i++)
        if (recorder->events[i].hist && !has_keys(&recorder->events[i]))
            count = recorder->events[i].hist_number + 1;
    if (recorder->options->owner)
        count += LIMIT_HISTS_TO_COME;
    return count * WIRE_HIST_CELLS;
}

// Samples a second and CPU. A probe may fire a million times, with so many different stacks among them; entries that
// are not used cost nothing where the kernel allocates them as they are needed.
static uint64_t most_hz(const struct recorder *recorder)
{
    uint64_t probes_hz = feature__lazy_maps() == 0 ? LIMIT_PROBE_STACKS_HZ : 1000, most_hz = 0;
    for (size_t i = 0; i < recorder->event_count; i++) {
        const struct event *event = &recorder->events[i];
        uint64_t hz = event->source->is_sampled && event->frequency_hz ? event->frequency_hz : probes_hz;
        if (event__keeps_stacks(event))
            most_hz = hz > most_hz ? hz : most_hz;
    }
    return most_hz;
}

// At worst every sample of an interval is a count of its own, with a user and a kernel stack of two chunks together.
static struct loader_bounds choose_bounds(const struct recorder *recorder)
{
    uint64_t hz = most_hz(recorder);
    uint64_t samples = (hz * recorder->options->drain_ns / 1000000000u + hz) * recorder->target.cpu_count;
    const struct target *target = &recorder->target;
    uint32_t last_cpu = target->present_count ? target->present[target->present_count - 1] : 0;
    return (struct loader_bounds){
        .counts = bound(samples),
        .stacks = bound(2 * samples),
        .hists = bound_hists(recorder),
        .cells = bound_cells(recorder),
        .cpus = last_cpu + 1,
        .copy_bytes = recorder__copies_stacks(recorder) ? LIMIT_COPY_RING_BYTES : 0,
    };
}

static void note_programs(const struct recorder *recorder, const struct loaded *loaded)
{
    struct bpf_program *program;
    bpf_object__for_each_program(program, loaded__object(loaded))
    {
        bpf_meter__add(recorder->meter, bpf_program__fd(program));
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

// Where stacks are unwound by rows.
static int load_early_waits(struct recorder *recorder, struct fault *fault)
{
    bool is_wanted = false;
    for (size_t i = 0; i < recorder->event_count; i++) {
        const struct source *source = recorder->events[i].source;
        is_wanted = is_wanted || (source && source->has_early_waits);
    }
    if (!is_wanted || recorder->early || recorder->options->unwind == WIRE_UNWIND_FP ||
        recorder->options->unwind == WIRE_UNWIND_COPY)
        return 0;
    int err = early_waits__new(recorder->loader, &recorder->early);
    if (err == -ENOTSUP)
        return 0;
    if (err)
        return fault__set(fault, err, "out of memory");
    note_programs(recorder, early_waits__loaded(recorder->early));
    return 0;
}

static void keep_types(struct loader *loader)
{
    char folder[PATH_MAX];
    bool has_folder = cache_folder__find("types", folder, sizeof(folder)) == 0;
    loader__keep_types(loader, has_folder ? folder : NULL);
}

static int load_objects(struct recorder *recorder, struct fault *fault)
{
    struct wire_config *config = &recorder->config;
    recorder->bounds = choose_bounds(recorder);
    if (getrandom(&config->stack_seed, sizeof(config->stack_seed), 0) != sizeof(config->stack_seed))
        config->stack_seed = clock__ns(CLOCK_MONOTONIC);
    config->user_stacks = config->kernel_stacks = true;
    config->keep_tid |= recorder->options->keep_threads;
    config->unwind = (uint8_t)recorder->options->unwind;
    config->compare = recorder->options->compare != NULL;
    fill__mark(&recorder->bounds, config);
    int err = loader__new(config, &recorder->bounds, fault, &recorder->loader);
    if (!err)
        keep_types(recorder->loader);
    if (!err)
        err = loader__open(recorder->loader, "targets", fault, &recorder->targets);
    if (!err)
        err = loaded__load(recorder->targets, fault);
    if (!err)
        note_programs(recorder, recorder->targets);
    for (size_t i = 0; i < recorder->event_count && !err; i++)
        err = load_event(recorder, &recorder->events[i], fault);
    return err ? err : load_early_waits(recorder, fault);
}

static int attach(struct loaded *loaded, const char *name, struct fault *fault, struct bpf_link **ret_link)
{
    *ret_link = bpf_program__attach(loaded__program(loaded, name));
    if (*ret_link)
        return 0;
    return source__say_unattached(name, -errno, fault);
}

static int attach_program(struct loaded *loaded, const char *name, struct fault *fault)
{
    struct bpf_link *link;
    int err = attach(loaded, name, fault, &link);
    if (err)
        return err;
    err = loaded__keep(loaded, link);
    return err ? fault__set(fault, err, "out of memory") : 0;
}

// Without them nothing is missing but the paths of control groups that are gone before a drain.
static void follow_cgroups(struct recorder *recorder)
{
    struct fault ignored = {0};
    _cleanup_(loaded__freep) struct loaded *loaded = NULL;
    int err = loader__open(recorder->loader, "cgroups", &ignored, &loaded);
    if (!err)
        err = loaded__load(loaded, &ignored);
    if (!err)
        err = attach_program(loaded, "follow_mkdir", &ignored);
    if (err)
        return;
    note_programs(recorder, loaded);
    recorder->cgroup_programs = take_pointer(loaded);
}

int recorder_programs__load(struct recorder *recorder, struct fault *fault)
{
    number_histograms(recorder);
    int err = load_objects(recorder, fault);
    if (!err)
        follow_cgroups(recorder);
    return err;
}

static int put_id(int map_fd, uint32_t id, struct fault *fault)
{
    uint8_t one = 1;
    if (bpf_map_update_elem(map_fd, &id, &one, BPF_ANY) == 0)
        return 0;
    return fault__set(fault, -errno, "cannot tell the kernel side about PID %u: %s", id, strerror(errno));
}

// The programs have not seen the exit of a process whose id was not in the map yet.
static int put_targets(struct recorder *recorder, struct fault *fault)
{
    const struct target *target = &recorder->target;
    int processes_fd = loader__map_fd(recorder->loader, "targets"), err = 0;
    int threads_fd = loader__map_fd(recorder->loader, "targets_tid");
    for (size_t i = 0; i < target->process_count && !err; i++) {
        err = put_id(processes_fd, target->processes[i].pid, fault);
        if (!err && !target_process__runs(&target->processes[i]))
            bpf_map_delete_elem(processes_fd, &target->processes[i].pid);
    }
    for (size_t i = 0; i < target->thread_count && !err; i++) {
        err = put_id(threads_fd, target->threads[i].tid, fault);
        if (!err && !target_thread__runs(&target->threads[i]))
            bpf_map_delete_elem(threads_fd, &target->threads[i].tid);
    }
    return err;
}

static int attach_event(struct recorder *recorder, struct event *event, struct fault *fault)
{
    event->records = recorder->records;
    int err = event->source->attach(event, &recorder->target, fault);
    if (err) {
        loaded__detach(event->loaded);
        return err;
    }
    event->attached = true;
    if (event->note[0])
        fault__warn("%s: %s", event->spelled, event->note);
    return 0;
}

// The store has its row of the event already; it stays without samples when the kernel does not have it.
static int attach_events(struct recorder *recorder, struct fault *fault)
{
    size_t attached = 0;
    int err = 0;
    for (size_t i = 0; i < recorder->event_count; i++) {
        err = attach_event(recorder, &recorder->events[i], fault);
        if (err && recorder->event_count == 1)
            return err;
        if (err)
            fault__say(fault, err);
        attached += !err;
    }
    if (attached)
        return 0;
    return fault__set_code(fault, fault->code, err, "none of the events can be had");
}

// Programs of one tracepoint run in the order they were attached in: forget_exit() is attached after the events, so
// that an event on sched_process_exit still finds a target in the map. Until then forget_exit_early() does its work.
static int begin_attaching(struct recorder *recorder, struct fault *fault, struct bpf_link **ret_early)
{
    const struct wire_config *config = &recorder->config;
    if (!config->by_tgid && !config->by_tid)
        return 0;
    int err = attach(recorder->targets, "forget_exit_early", fault, ret_early);
    if (!err && recorder->forget_exit)
        loaded__drop(recorder->targets, take_pointer(recorder->forget_exit));
    return err;
}

static int end_attaching(struct recorder *recorder, struct bpf_link *early, struct fault *fault)
{
    if (!early)
        return 0;
    struct bpf_link *link;
    int err = attach(recorder->targets, "forget_exit", fault, &link);
    if (!err && (err = loaded__keep(recorder->targets, link)) != 0)
        fault__set(fault, err, "out of memory");
    if (!err)
        recorder->forget_exit = link;
    bpf_link__destroy(early);
    return err;
}

int recorder_programs__attach(struct recorder *recorder, struct fault *fault)
{
    const struct wire_config *config = &recorder->config;
    struct bpf_link *early = NULL;
    int err = config->by_tgid ? attach_program(recorder->targets, "follow_fork", fault) : 0;
    if (!err && config->by_tid)
        err = attach_program(recorder->targets, "follow_exec", fault);
    if (!err)
        err = begin_attaching(recorder, fault, &early);
    if (!err)
        err = put_targets(recorder, fault);
    if (!err)
        err = attach_events(recorder, fault);
    if (!err && recorder->early)
        early_waits__unwind(recorder->early); // a failure leaves the marks as they are
    if (err) {
        bpf_link__destroy(early);
        return err;
    }
    return end_attaching(recorder, early, fault);
}

static bool has_room_for(const struct recorder *recorder, const struct event *event)
{
    return has_keys(event) ? recorder->bounds.hists > 1 : event->hist_number < recorder->bounds.cells / WIRE_HIST_CELLS;
}

// The first number that no histogram has, and no cell of the next drain.
static int number_histogram(struct recorder *recorder, struct event *event, struct fault *fault)
{
    bool is_taken[WIRE_EVENTS_MAX + 1] = {0};
    for (size_t i = 0; i < recorder->event_count; i++)
        if (recorder->events[i].hist && &recorder->events[i] != event)
            is_taken[recorder->events[i].hist_number] = true;
    for (event->hist_number = 0; is_taken[event->hist_number];)
        event->hist_number++;
    if (has_room_for(recorder, event))
        return 0;
    return fault__set(fault, -EXFULL, "the maps of this recording have no room for the histogram '%s'", event->spelled);
}

int recorder_programs__begin_event(struct recorder *recorder, struct event *event, struct fault *fault)
{
    struct bpf_link *early = NULL;
    int err = sources__parse(event, fault);
    if (!err && event->hist)
        err = number_histogram(recorder, event, fault);
    if (!err && event->source->prepare)
        err = event->source->prepare(event, &recorder->target, fault);
    if (!err)
        err = load_event(recorder, event, fault);
    if (!err)
        err = load_early_waits(recorder, fault);
    if (!err)
        err = begin_attaching(recorder, fault, &early);
    if (err)
        return err;
    err = attach_event(recorder, event, fault);
    int ended = end_attaching(recorder, early, err ? NULL : fault);
    if (!err && !ended && recorder->early)
        early_waits__unwind(recorder->early); // a failure leaves the marks as they are
    return err ? err : ended;
}

void recorder_programs__release_event(struct recorder *recorder, struct event *event)
{
    struct bpf_program *program;
    if (event->loaded)
        bpf_object__for_each_program(program, loaded__object(event->loaded))
        {
            bpf_meter__remove(recorder->meter, bpf_program__fd(program));
        }
    event__release(event);
    *event = (struct event){0};
}
