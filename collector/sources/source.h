// Event sources: every kind of event that can be recorded is one row of sources[] (sources.h), and nothing else knows
// about kinds.
//
// A recording has some events (-e, in the order given). Each is parsed by the row whose spelling fits, looks for what
// it is put on (a file, a function, a tracepoint), gets a BPF object of its own (loaded from the embedded one, with
// `own_event` set to its index), and is attached.
#ifndef HEARTH_COLLECTOR_SOURCES_SOURCE_H
#define HEARTH_COLLECTOR_SOURCES_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/probes/probe_cost.h"
#include "collector/programs/drain.h"
#include "collector/programs/loader.h"
#include "collector/sources/hist_options.h"
#include "collector/who/target.h"
#include "store/base/fault.h"
#include "store/store_types.h"

struct bpf_link;
struct perf_records;
struct source;

// An event of perf on one CPU.
struct perf_cpu {
    uint32_t cpu;
    int fd;                // the link's; -1: the CPU is offline
    struct bpf_link *link; // kept by the loaded object
    uint64_t enabled_ns;   // at the last look
};

struct event {
    const struct source *source;
    const char *spelled;   // borrowed from the command line, or `copied`
    char *copied;          // owned; NULL: `spelled` is borrowed
    const char *words;     // of that, what stands behind the prefix; see event__behind()
    uint64_t frequency_hz; // one of the two is 0
    uint64_t period;
    uint64_t min_ns, max_ns;         // of waits that are counted; 0: no bound
    const struct hist_options *hist; // NULL: samples of it are kept, and no histogram
    uint32_t hist_number;            // among the histograms of the recording
    bool hist_groups;                // a histogram for each group of its values, named by its source
    uint32_t hist_group;             // else the only group that is looked at
    bool by_is_signed;               // --by argN, as the notes of its USDT probes say
    uint32_t perf_type;
    uint64_t perf_config;
    const char *unit;      // NULL: the source's
    char detail[160];      // the event that is really counted, for the store
    struct trap_cost trap; // of a uprobe: what a hit, a call, or a pair, costs without the programs
    bool is_call;          // a hit at the entry and one at the return make one call
    bool is_pair;          // a hit of one USDT probe and one of another make one pair
    char note[160];        // told to the user: how it was attached; "": nothing to tell
    uint64_t store_period;
    struct loaded *loaded; // owned
    bool attached;
    uint32_t drains_to_come;      // after it was detached: until none brings samples of it any more
    void *prepared;               // by the source, which releases it
    struct perf_records *records; // borrowed: told when perf's events are throttled; NULL: nobody is
    struct perf_cpu *cpus;        // of perf's events
    size_t cpu_count;
};

struct source {
    const char *spelling; // for help: "tracepoint:CATEGORY:NAME"
    const char *summary;
    const char *places; // what a probe is put on, for words: "functions"
    const char *unit;   // of the values, see struct store_event
    bool is_histogram;  // a histogram is made of its values; else samples are kept
    bool is_probe;      // is put on code or a tracepoint, so that each hit has a price
    bool is_sampled;    // fires as often as event->frequency_hz says, if that is not 0
    const char *object; // the embedded BPF object
    // 0, or -ENOENT without a fault: this row does not know the name; other errors with a fault.
    int (*parse)(struct event *event, struct fault *fault);
    // Looks for what the event is put on; NULL: nothing to look for.
    int (*prepare)(struct event *event, const struct target *target, struct fault *fault);
    void (*release)(struct event *event);
    // Sets what the object needs before it is loaded; NULL: nothing but own_event.
    int (*configure)(struct event *event, struct loaded *loaded, struct fault *fault);
    int (*attach)(struct event *event, const struct target *target, struct fault *fault);
    // Its object puts threads that wait since before the recording into the map early_waits.
    bool has_early_waits;
    // Called before each drain, when the event is attached: counts what is still going on. NULL: nothing to do.
    int (*settle)(struct event *event, struct drain *drain, bool is_last);
    // Called before each drain: has the event count again on CPUs that were offline and are back. NULL: it does anyway.
    int (*follow_cpus)(struct event *event);
    // Called once, when the event is detached: counts what has begun and has not ended. NULL: nothing to do.
    int (*leave)(struct event *event);
    // A sample without a mark stands for the time since the thread's last one: whose it was is exact, where it was
    // spent an estimate.
    bool is_clocked;
    // The name of a group of values; NULL: there are no groups.
    void (*name_group)(uint32_t group, char *ret_name, size_t bytes);
    // The words for a sample's detail, at the leaf of its stack; NULL, or a NULL result: none.
    const char *(*mark)(uint32_t detail);
};

// Takes the event apart, whatever state it is in.
void event__release(struct event *event);

const char *event__unit(const struct event *event);
// Whether samples with their stacks are kept of it: of a histogram only where that was asked for.
bool event__keeps_stacks(const struct event *event);

// How often the event's programs ran and for how long, as far as the kernel's statistics have it.
void event__read_runs(const struct event *event, uint64_t *ret_runs, uint64_t *ret_ns);
// Values that its programs lost.
uint64_t event__lost(const struct event *event);

// The event's words behind PREFIX, which it keeps; NULL: it does not begin with that.
const char *event__behind(struct event *event, const char *prefix);
// Sets the fault for a program that the kernel did not attach. Returns err.
int source__say_unattached(const char *name, int err, struct fault *fault);

// Attaches the programs of these names, in this order; their links are the object's to keep.
int source__attach_named(struct event *event, const char *const *names, size_t count, struct bpf_link **ret_links,
                         struct fault *fault);

// The next functions are for objects with the programs of HIST_LEFT_OPEN (bpf/hist.bpf.h). Call this one before they
// are loaded: the programs are loaded only if they are needed.
void source__choose_left(struct loaded *loaded, bool is_needed);
// Has threads looked at when they end.
int source__watch_exits(struct event *event, struct fault *fault);
// Runs the object's program left_at_end over all threads, and left_keyed where it has one.
int source__count_left(struct event *event);

// Attaches every program of the event's object where its section name says: what a source does whose programs need no
// more than that. The link of an iterator, if there is one, is left in event->prepared.
int source__attach_programs(struct event *event, const struct target *target, struct fault *fault);

// Each stands in a file of its own; sources.h has the list.
#define SOURCE(name) extern const struct source source_##name;
#include "collector/sources/sources.def"
#undef SOURCE

#endif
