// Turns a drain into an interval of the store: who (process, thread), which stack (frames, trie node), how much; new
// frames are handed on to be named. The store may be several files, one after the other (store_file.h).
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
    struct binaries *binaries;
    struct processes *processes;
    struct naming *naming;
    const struct guest_codes *guests; // NULL: no stack has functions of guests
    struct cgroup_names *cgroups;
    const struct event *events;
    size_t event_count;
    int64_t wall_offset_ns;
};

int keeper__new(const struct keeper_parts *parts, struct fault *fault, struct keeper **ret_keeper);
void keeper__free(struct keeper *keeper);

// Has intervals go to this file from now on; the writer is taken, on failure too. Called before anything else is, and
// again at any time between two intervals, when no file waits for names any more. The one up to now waits for them then
// (keeper__leave_file).
int keeper__begin_file(struct keeper *keeper, struct store_writer *writer, struct fault *fault);

// Another event has this place among the recording's: the file that intervals go to learns of it.
int keeper__set_event(struct keeper *keeper, size_t index, struct fault *fault);

// Of the file that intervals go to, the rows of the events, in their order.
const uint32_t *keeper__event_rows(const struct keeper *keeper);

// One drain, and what the rest of hearth says of its time.
struct keeper_interval {
    const struct drain *drain;
    const struct drained *drained;
    const struct store_histogram *histograms; // of events that keep no stacks
    size_t histogram_count;
    struct store_interval row; // times and own cost; keeper__keep adds the losses, from the tallies and records_lost
    uint64_t records_lost;     // since the start
    bool is_last;
};

// Writes one drain as one interval. When the store does not take it, the error is returned, and the interval waits in
// memory (see keeper__waits) to be appended before the next one. On any other failure nothing of the drain is kept but
// its losses, which come with the next.
int keeper__keep(struct keeper *keeper, const struct keeper_interval *interval, struct fault *fault);

// Puts the names that have been found into their files. -ENOBUFS: a disk is full, and they wait for the next call.
int keeper__take_names(struct keeper *keeper, struct fault *fault);

// Closes the file before this one, if there is one: now, or when all its names have been taken or LIMIT_NAMING_END_S
// have passed. An error is of that file alone.
int keeper__leave_file(struct keeper *keeper, bool now, struct fault *fault);

// Writes the losses that were seen since the last drain, where there are any: an interval of no length.
int keeper__keep_losses(struct keeper *keeper, uint64_t now_ns, struct fault *fault);

// Whether intervals wait for the store; to write all that waits now, at the end; to count it as lost.
bool keeper__waits(const struct keeper *keeper);
int keeper__flush(struct keeper *keeper, struct fault *fault);
void keeper__give_up(struct keeper *keeper);

// Ends the files. Nothing can be kept after that.
int keeper__close(struct keeper *keeper, struct fault *fault);

// Adds a row to the file that intervals go to, at once.
int keeper__add_incident(struct keeper *keeper, const struct store_incident *incident, struct fault *fault);

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
// The losses that the store has been told since the recording began, by their number (WIRE_LOSS_COUNT).
const uint64_t *keeper__told_losses(const struct keeper *keeper);

DEFINE_CLEANUP(struct keeper *, keeper__free);

#endif
