// Turns a drain into an interval of the store: who (process, thread), which stack (frames, trie node), how much; new
// frames are handed on to be named.
#ifndef HEARTH_COLLECTOR_KEEP_KEEPER_H
#define HEARTH_COLLECTOR_KEEP_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/naming/naming.h"
#include "collector/programs/cgroup_names.h"
#include "collector/programs/drain.h"
#include "collector/sources/source.h"
#include "collector/who/processes.h"
#include "store/base/cleanup.h"
#include "store/writer/writer.h"

struct keeper;

// All borrowed, and outlive the keeper. wall_offset_ns: CLOCK_REALTIME minus CLOCK_BOOTTIME.
struct keeper_parts {
    struct store_writer *writer;
    struct binaries *binaries;
    struct processes *processes;
    struct naming *naming;
    struct cgroup_names *cgroups;
    const struct event *events;
    size_t event_count;
    int64_t wall_offset_ns;
};

int keeper__new(const struct keeper_parts *parts, struct fault *fault, struct keeper **ret_keeper);
void keeper__free(struct keeper *keeper);

struct keeper_histograms { // of events that keep no stacks
    const struct store_histogram *rows;
    size_t count;
};

// Writes one drain as one interval. `interval` has its times and own cost; the losses are added here, from the tallies
// and from records_lost (since the start). When the store does not take the interval, its error is returned, and the
// interval waits in memory (see keeper__waits) to be appended before the next one. On any other failure nothing of the
// drain is kept but its losses, which come with the next.
int keeper__keep(struct keeper *keeper, const struct drain *drain, const struct drained *drained,
                 const struct keeper_histograms *histograms, struct store_interval *interval, uint64_t records_lost,
                 bool is_last, struct fault *fault);

// Writes the losses that were seen since the last drain, where there are any: an interval of no length.
int keeper__keep_losses(struct keeper *keeper, uint64_t now_ns, struct fault *fault);

// Whether intervals wait for the store; to append them now, at the end; to count them as lost.
bool keeper__waits(const struct keeper *keeper);
int keeper__retry(struct keeper *keeper, struct fault *fault);
void keeper__give_up(struct keeper *keeper);

// Counts a loss that somebody else has seen, since the start of the recording.
void keeper__lose(struct keeper *keeper, enum wire_loss loss, uint64_t count_since_start);

// Of time that is sampled: how well it is known where it was spent.
struct keeper_clocked {
    uint64_t samples, ns;
    uint64_t unsampled_ns; // in which no sample fell
};

// Since the start.
struct keeper_totals {
    uint64_t samples;                        // all that were drained
    uint64_t not_stored;                     // of these, those that the store did not take
    uint64_t event_samples[WIRE_EVENTS_MAX]; // of each
    uint64_t stacks;                         // distinct ones, summed over intervals
    uint64_t lost;                           // samples that never reached the store
    uint64_t truncated;                      // samples whose user stack is not whole
    struct keeper_clocked clocked;
};
const struct keeper_totals *keeper__totals(const struct keeper *keeper);

DEFINE_CLEANUP(struct keeper *, keeper__free);

#endif
