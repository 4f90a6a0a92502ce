// The insides of a recording, shared by the files that make it: recorder_programs.c loads and attaches what runs in the
// kernel, recorder_events.c changes the events in mid-recording, recorder.c sets up the rest and takes it down,
// recorder_watch.c waits and handles, recorder_interval.c keeps one interval, recorder_run.c begins and ends.
#ifndef HEARTH_COLLECTOR_SESSION_RECORDER_INSIDES_H
#define HEARTH_COLLECTOR_SESSION_RECORDER_INSIDES_H

#include <signal.h>

#include "collector/keep/hist.h"
#include "collector/keep/keeper.h"
#include "collector/naming/guest_codes.h"
#include "collector/naming/naming.h"
#include "collector/programs/cgroup_names.h"
#include "collector/programs/drain.h"
#include "collector/programs/early_waits.h"
#include "collector/programs/fill.h"
#include "collector/programs/loader.h"
#include "collector/session/governor.h"
#include "collector/session/launch.h"
#include "collector/session/loop.h"
#include "collector/session/own_cost.h"
#include "collector/session/recorder.h"
#include "collector/unwinding/copy_stacks.h"
#include "collector/unwinding/unwinder.h"
#include "collector/who/perf_records.h"
#include "collector/who/processes.h"
#include "store/base/clock.h"
#include "symbolizer/worker/worker.h"

struct target_watch;

struct recorder {
    const struct recorder_options *options;
    struct wire_config config;
    struct target target;
    struct event events[WIRE_EVENTS_MAX]; // a place without a source has no event
    size_t event_count, hist_count;       // hist_count: of the events at the start, those that are histograms
    struct launch launch;                 // pid 0: no command
    bool command_left;                    // the command has exited, or runs on without us
    struct loader_bounds bounds;
    struct loader *loader;
    struct loaded *targets;       // the object that makes the shared maps and follows forks
    struct bpf_link *forget_exit; // of it; NULL: not attached
    struct early_waits *early;    // NULL: no event has such, or the kernel cannot
    struct drain *drain;
    struct fill *fill;
    struct governor *governor;
    struct binaries *binaries;
    struct processes *processes;
    struct perf_records *records;
    uint64_t mappings_replaced; // by the last look
    struct worker *worker;      // reads the binaries of strangers
    struct naming *naming;
    struct guest_codes *guests;     // NULL: stacks are not unwound by rows
    struct loaded *cgroup_programs; // NULL: the kernel does not have them
    struct cgroup_names *cgroups;
    struct keeper *keeper;
    struct hist *hist;          // NULL: no event is a histogram
    struct unwinder *unwinder;  // NULL: stacks are not unwound by rows
    struct copy_stacks *copies; // NULL: stacks are not copied
    sigset_t signals;
    struct loop *loop;
    int signal_fd;
    struct target_watch *target_watches;
    struct bpf_meter *meter;
    uint64_t started_ns;        // CLOCK_MONOTONIC
    uint64_t interval_start_ns; // CLOCK_REALTIME
    uint64_t interval_began_ns; // the same, CLOCK_MONOTONIC
    uint64_t unwinder_cpu_ns;   // of its thread, when the recording began
    struct store_interval last; // kept last
    uint64_t last_samples, last_lost;
    uint64_t all_samples, all_lost; // with it
    struct own_cost told;           // up to where the intervals have told the cost
    size_t targets_left;
    bool has_said_file;    // has told the user that no new store file can be begun; until one can
    bool has_said_waiting; // has told the user that the store takes no intervals; until it takes one
    struct recorder_summary summary;
};

// The events as spelled become rows of recorder->events.
int recorder_programs__parse(struct recorder *recorder, struct fault *fault);
// Finds what each event is put on; an event that cannot be had is said and left out, where there are others.
int recorder_programs__prepare(struct recorder *recorder, struct fault *fault);
// Loads the objects.
int recorder_programs__load(struct recorder *recorder, struct fault *fault);
// Tells the kernel side its targets; from here on events are counted.
int recorder_programs__attach(struct recorder *recorder, struct fault *fault);
// All of that for an event of recorder->events in mid-recording, which recorder_programs__describe() has begun.
// -EXFULL: the maps are too small for it. On failure it is to be released.
int recorder_programs__begin_event(struct recorder *recorder, struct event *event, struct fault *fault);
// Takes the event's programs down and leaves its place empty.
void recorder_programs__release_event(struct recorder *recorder, struct event *event);
// The number and the names of the events of one recording.
int recorder_programs__check(const struct recorder_event *events, size_t count, struct fault *fault);
struct event recorder_programs__describe(const struct recorder_options *options, const struct recorder_event *wanted);

// Empties the places of events that are detached and of which no drain brings samples any more.
void recorder_events__forget(struct recorder *recorder);

// Makes the loop, and registers what the recording waits for.
int recorder_watch__begin(struct recorder *recorder, struct fault *fault);
// When all is attached, which may take seconds: what was asked for lasts as long as was asked for.
int recorder_watch__start_timers(struct recorder *recorder, struct fault *fault);
loop_call_fn recorder_watch__on_records; // of perf's records on one CPU

// The cost of hearth up to now.
void recorder_interval__read_cost(struct recorder *recorder, struct own_cost *ret_cost);
// Counts the waits and calls that go on up to now, so that the interval has its share of them.
int recorder_interval__settle_events(struct recorder *recorder, bool is_last, struct fault *fault);
// Drains the kernel's maps and keeps what they held as an interval. -EBUSY and the like of the store are no error while
// intervals may wait.
int recorder_interval__keep(struct recorder *recorder, bool is_last, struct fault *fault);
// Has intervals go to another store file from now on.
int recorder__begin_file(struct recorder *recorder, struct fault *fault);
// Ends the store file before this one, where that is due; a failure is said, and is no matter of the recording.
// Losses that were counted after the last interval: an interval of no length.
void recorder_interval__keep_losses(struct recorder *recorder);
void recorder_interval__leave_file(struct recorder *recorder, bool now);
int recorder_interval__read_records(struct recorder *recorder);
int recorder_interval__read_copies(struct recorder *recorder, struct fault *fault);
int recorder_interval__show_histograms(struct recorder *recorder, bool is_last);
void recorder_interval__count_failures(struct recorder *recorder);
// Notes an interval that was kept, for recorder__tell().
void recorder_status__note(struct recorder *recorder, const struct store_interval *interval);
void recorder_interval__tell_unanswered(const struct recorder *recorder);

// Erases the line of the status, before another line is said.
void recorder__clear_status(const struct recorder *recorder);

void recorder_summary__fill(struct recorder *recorder, struct recorder_summary *ret_summary);

// Whether stacks are copied to user space, to be unwound there.
static inline bool recorder__copies_stacks(const struct recorder *recorder)
{
    return recorder->options->unwind == WIRE_UNWIND_COPY || recorder->options->compare;
}

#endif
