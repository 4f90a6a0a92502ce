// Histograms of a recording: adds up the cells that each drain brings, for the interval, whose rows go into the store,
// and since the start, for the summary and the live view. LIMIT_HISTOGRAMS keys are kept apart in one recording; in one
// without an end, in each interval.
#ifndef HEARTH_COLLECTOR_KEEP_HIST_H
#define HEARTH_COLLECTOR_KEEP_HIST_H

#include "collector/programs/cgroup_names.h"
#include "collector/programs/drain.h"
#include "collector/sources/source.h"
#include "store/base/histogram.h"
#include "store/store_types.h"

struct hist;

// Of those events that are histograms, which have their numbers (event->hist_number) in this order. Borrowed.
// `has_end`: whether the recording has one; a daemon's has none.
int hist__new(const struct event *events, size_t event_count, struct cgroup_names *cgroups, bool has_end,
              struct hist **ret_hist);
void hist__free(struct hist *hist);

// Another event has the number event->hist_number, or none has it any more.
void hist__set_event(struct hist *hist, const struct event *event);
void hist__forget_event(struct hist *hist, const struct event *event);

// Takes the cells of a drain. `event_rows`: of the store, in the order of the recording's events. The rows are borrowed
// until the next call.
int hist__take(struct hist *hist, const struct drained *drained, const uint32_t *event_rows,
               const struct store_histogram **ret_rows, size_t *ret_count);

// Everything since the start (of a recording without an end: of the last interval), by event, the largest first; the
// tag is the event's number. Reads what was lost from the programs, which must be there.
int hist__totals(struct hist *hist, const struct histogram_list **ret_list);

struct hist_sums {
    uint64_t count, unmatched, lost;
};
// Of all histograms of one event since the start.
int hist__sums(struct hist *hist, const struct event *event, struct hist_sums *ret_sums);

DEFINE_CLEANUP(struct hist *, hist__free);

#endif
