// Keeps the daemon to max-cpu, max-memory and max-write by the rule of budget.h: after each interval, one step at most,
// which is said, and noted in the intervals that follow as the losses "budget-lowered" and "budget-dropped".
#ifndef HEARTH_COLLECTOR_DAEMON_BUDGET_STEPS_H
#define HEARTH_COLLECTOR_DAEMON_BUDGET_STEPS_H

#include "collector/daemon/budget.h"
#include "collector/daemon/daemon_words.h"
#include "collector/session/recorder.h"

struct budget_steps {
    struct budget budget;
    uint64_t lowered, dropped; // of this recording: what the losses count
};

// A recording begins: with all rates and events.
void budget_steps__begin(struct budget_steps *steps, const struct daemon_words *words);
// The recording goes on by these words.
void budget_steps__bound(struct budget_steps *steps, const struct daemon_words *words);

// How many of the optional events are not recorded now.
uint32_t budget_steps__dropped(const struct budget_steps *steps);

// After an interval: takes or undoes a step. Rates are changed here; true: the events are others now, by
// budget_steps__dropped(), and the caller changes them.
bool budget_steps__judge(struct budget_steps *steps, const struct daemon_words *words,
                         const struct store_interval *interval, struct recorder *recorder);

#endif
