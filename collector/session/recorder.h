// A recording from start to end: loads and attaches the events, follows the processes, drains on a period, ends with a
// whole store. The commands that collect (record, hist, the daemon) set it up and run it.
#ifndef HEARTH_COLLECTOR_SESSION_RECORDER_H
#define HEARTH_COLLECTOR_SESSION_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/keep/hist.h"
#include "collector/probes/probe_cost.h"
#include "collector/sources/source.h"
#include "collector/unwinding/copy_stacks.h"
#include "collector/who/target.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "store/base/histogram.h"
#include "store/writer/writer.h"

struct loop;
struct recorder;
struct drained_count;

// An interval that was kept, and what it was made of; borrowed for the call.
struct recorder_drained {
    struct recorder *recorder;
    const struct store_interval *interval; // without its losses
    const struct drained_count *counts;
    size_t count_of_counts;
    const struct event *events; // by the number that a count has
    const uint32_t *event_rows; // the same in the store
    size_t event_count;
    const struct store_histogram *histograms;
    size_t histogram_count;
    const uint64_t *losses; // by their number, since the recording began; those of this interval are among them
};

struct recorder_event {
    const char *spelled;
    const struct hist_options *hist; // what histogram is made of its values; NULL: samples of it are kept
};

// Whether both are the same event. One may be sampled and have a histogram too.
bool recorder_event__is(const struct recorder_event *event, const struct recorder_event *other);

// Of a recording that goes on through many store files: who begins them, and what happens meanwhile.
struct recorder_owner {
    // A writer for intervals that begin at start_ns (CLOCK_REALTIME); it becomes the recording's. When that fails,
    // intervals go where they went. The file before it is whole as to samples then, and ends as soon as its names have
    // come, or LIMIT_NAMING_END_S later.
    int (*open_store)(void *context, uint64_t start_ns, const struct store_meta *meta, struct fault *fault,
                      struct store_writer **ret_writer);
    bool (*leaves_store)(void *context, uint64_t start_ns); // whether such an interval belongs to another file
    void (*lose_store)(void *context);                      // the file is damaged: another one is opened next
    void (*drained)(void *context, const struct recorder_drained *drained);
    // Before that, of the last interval too: the interval is kept, or waits to be; to be looked at alone. At the end
    // once more, with an interval of no length, for losses that the last names brought. NULL: nobody looks.
    void (*kept)(void *context, const struct recorder_drained *drained);
    pid_t starter;                         // of recordings beside this one, which have a cost of their own; 0: none
    uint64_t (*written)(void *context);    // bytes that others wrote to the store since the start; NULL: nobody does
    bool (*ends_at_hangup)(void *context); // SIGHUP: whether the recording ends
    void *context;
};

struct recorder_options {
    const struct recorder_event *events;
    size_t event_count;
    uint64_t frequency_hz; // of samples; one of the two is 0
    uint64_t period;
    uint64_t min_wait_ns, max_wait_ns; // of off-cpu; 0: no bound
    // Called after each drain of histograms, with all of them since the start.
    void (*show)(const struct histogram_list *totals, bool is_last, void *context);
    void *show_context;
    double bpf_share; // of a CPU that the programs may take
    uint64_t drain_ns;
    uint64_t duration_ns;   // 0: until a signal, or the end of the target
    const char *store_path; // where there is no owner
    // NULL: the recording has one store. With an owner, intervals begin on multiples of drain_ns by the wall clock.
    const struct recorder_owner *owner;
    const char *command_line; // for the store
    const struct target_options *target;
    bool no_inline;
    enum wire_unwind unwind;
    uint64_t guests_off; // a bit for each enum wire_guest_kind whose functions are not wanted
    bool keep_threads;   // a count for each thread, not for each process and comm
    bool show_status;
    copy_pair_fn *compare; // for tests: told of each sample as both unwinders see it; NULL: no
    void *compare_context;
    char *const *command; // argv of the command to start, ended by NULL; NULL: none
    bool is_forgotten;    // nobody reads the stores afterwards: the end waits for no names
    bool is_silent;       // the command reads and writes /dev/null: the terminal is somebody's picture
};

struct recorder_summary {
    uint64_t samples, stacks, lost, truncated; // samples: those in the store
    bool is_incomplete; // the store lacks something of the end, which is the error; all else is well
    uint64_t elapsed_ns;
    uint64_t own_cpu_ns, own_bpf_ns, peak_rss_bytes;
    uint64_t start_cpu_ns; // of own_cpu_ns: until events were collected, and rows of what ran then were in place
    size_t hist_count;     // events that are histograms
    struct hist_sums hist; // of all of them
    uint64_t clocked_samples, clocked_ns, unsampled_ns; // see struct keeper_clocked
    struct probe_cost costs[WIRE_EVENTS_MAX];           // of the events that are probes and were hit
    size_t cost_count;
    bool command_ended;
    int command_status; // as wait() gives it
};

// Everything up to and including the attaching of events. Nothing is collected yet of a command, which waits.
int recorder__new(const struct recorder_options *options, struct fault *fault, struct recorder **ret_recorder);
// Collects until the end, however it comes. Intervals that the store does not take (a full disk, a lock) wait, and are
// an error at the end alone, if they still do. Another failure in the middle ends the recording with what was written
// before. The summary is filled in all the same.
int recorder__run(struct recorder *recorder, struct fault *fault, struct recorder_summary *ret_summary);
void recorder__free(struct recorder *recorder);

// The loop of the recording: a caller may register descriptors of its own in it, before recorder__run and meanwhile.
struct loop *recorder__loop(struct recorder *recorder);

// Whether the event is one that a recording may have, as far as its words tell. -EINVAL with a fault.
int recorder__check_event(const struct recorder_event *wanted, struct fault *fault);
// In mid-recording of a recorder with an owner: these are its events from now on. Those that it has already lose
// nothing. A wait or a call that is under way when its event is detached is counted up to then; of an event that is
// attached, what has begun before is not counted. One that cannot be had is said and left out. -EXFULL: only a new
// recording has room for them; other errors: none of them can be had, and all is as before. `hist` is borrowed.
int recorder__change_events(struct recorder *recorder, const struct recorder_event *events, size_t count,
                            struct fault *fault);
// Whether the recording keeps more files of binaries than one without an end should: their number, their descriptors,
// or the room of deleted ones on the disk (LIMIT_ENDLESS_*). `ret_why`: what it keeps, for the user.
bool recorder__is_outgrown(const struct recorder *recorder, char *ret_why, size_t bytes);
// The share of a CPU that the programs may take, from now on.
void recorder__set_share(struct recorder *recorder, double bpf_share);

// All rates are halved so many times, besides what the share asks for; histograms and waits count every hit as before.
void recorder__set_halvings(struct recorder *recorder, uint32_t halvings);
// The path of a control group by its id; see cgroup_names__path().
int recorder__cgroup(const struct recorder *recorder, uint64_t id, char *ret_path, size_t bytes);
// The path of the executable of a process that the interval being told has samples of, borrowed until the next one; ""
// where it is not known.
const char *recorder__exe(const struct recorder *recorder, uint32_t tgid, uint64_t start_boot_ns);
// Adds a row to the store file that intervals go to, at once.
int recorder__add_incident(struct recorder *recorder, const struct store_incident *incident, struct fault *fault);
// Counts a loss that the owner knows of, since the start of the recording: it comes with the next interval.
void recorder__lose(struct recorder *recorder, enum wire_loss loss, uint64_t count_since_start);

// A recording as it is now.
struct recorder_status {
    uint64_t since_ns; // CLOCK_REALTIME, by the clock as it is now
    double bpf_share;
    struct recorder_event_status {
        const char *spelled; // borrowed
        bool is_histogram, is_sampled;
        uint64_t frequency_hz, period; // of one that is sampled; one of the two is 0
        uint32_t halvings;             // one hit in 2^halvings is taken
    } events[WIRE_EVENTS_MAX];
    size_t event_count;
    struct store_interval last; // the interval that was kept last, with what it cost; end_ns 0: none was
    uint64_t last_samples, last_lost;
};
void recorder__tell(const struct recorder *recorder, struct recorder_status *ret_status);

// "0.52 s of CPU: 0.45 s to start, 0.07 s in 10.0 s of recording (0.70 % of a CPU); 20.1 MiB", in `out`, which is
// returned.
enum { RECORDER_COST_BYTES = 160 };
const char *recorder_summary__cost(const struct recorder_summary *summary, char out[RECORDER_COST_BYTES]);

DEFINE_CLEANUP(struct recorder *, recorder__free);

#endif
