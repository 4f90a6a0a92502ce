#include "collector/daemon/thrift.h"

#include "store/base/clock.h"
#include "store/base/fault.h"
#include "store/base/limits.h"

static uint32_t halvings_of(uint32_t level)
{
    return level < LIMIT_BUDGET_HALVINGS ? level : LIMIT_BUDGET_HALVINGS;
}

static uint32_t dropped_at(uint32_t level)
{
    return level - halvings_of(level);
}

void thrift__bound(struct thrift *thrift, const struct daemon_words *words)
{
    budget__bound(&thrift->budget, &(struct budget_bounds){.memory_bytes = words->memory_bytes,
                                                           .written_bytes_a_min = words->written_bytes_a_min});
}

void thrift__begin(struct thrift *thrift, const struct daemon_words *words)
{
    *thrift = (struct thrift){0};
    thrift__bound(thrift, words);
    budget__begin(&thrift->budget, clock__ns(CLOCK_MONOTONIC));
}

uint32_t thrift__dropped(const struct thrift *thrift)
{
    return dropped_at(thrift->budget.level);
}

static void say(const struct budget *budget, const struct budget_step *step, bool is_dropping)
{
    double amount = (double)step->amount / (1 << 20);
    const char *what = is_dropping ? "an event is dropped" : "all rates are halved, and samples weigh more";
    if (step->reason == BUDGET_MEMORY)
        fault__warn("hearth takes %.1f MiB, more than max-memory (%.1f MiB): %s", amount,
                    (double)budget->bounds.memory_bytes / (1 << 20), what);
    else if (step->reason == BUDGET_WRITTEN)
        fault__warn("hearth writes %.2f MiB a minute, more than max-write (%.2f MiB): %s", amount,
                    (double)budget->bounds.written_bytes_a_min / (1 << 20), what);
    else
        fault__warn("hearth keeps to its budget with room to spare: %s",
                    is_dropping ? "an event is recorded again" : "all rates are doubled again");
}

static void note(struct thrift *thrift, struct recorder *recorder)
{
    thrift->lowered += thrift->budget.level > 0;
    thrift->dropped += thrift__dropped(thrift);
    recorder__lose(recorder, WIRE_LOSS_BUDGET_LOWERED, thrift->lowered);
    recorder__lose(recorder, WIRE_LOSS_BUDGET_DROPPED, thrift->dropped);
}

bool thrift__judge(struct thrift *thrift, const struct daemon_words *words, const struct store_interval *interval,
                   struct recorder *recorder)
{
    struct budget_step step;
    uint32_t before = thrift->budget.level;
    const struct budget_load load = {.now_ns = clock__ns(CLOCK_MONOTONIC),
                                     .memory_bytes = interval->own_rss_bytes + interval->own_map_bytes,
                                     .written_bytes = interval->own_written_bytes,
                                     .level_most = LIMIT_BUDGET_HALVINGS + daemon_words__optional(words)};
    bool has_changed = budget__judge(&thrift->budget, &load, &step);
    bool has_events_changed = dropped_at(before) != thrift__dropped(thrift);
    if (has_changed) {
        say(&thrift->budget, &step, has_events_changed);
        recorder__set_halvings(recorder, halvings_of(thrift->budget.level));
    }
    note(thrift, recorder);
    return has_events_changed;
}
