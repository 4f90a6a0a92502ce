#include "collector/daemon/budget_steps.h"

#include <unistd.h>

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

void budget_steps__bound(struct budget_steps *steps, const struct daemon_words *words)
{
    budget__bound(&steps->budget, &(struct budget_bounds){.cpu_ppm = (uint64_t)(words->record.bpf_share * 1e6),
                                                          .memory_bytes = words->memory_bytes,
                                                          .written_bytes_a_min = words->written_bytes_a_min});
}

void budget_steps__begin(struct budget_steps *steps, const struct daemon_words *words)
{
    *steps = (struct budget_steps){0};
    budget_steps__bound(steps, words);
    budget__begin(&steps->budget, clock__ns(CLOCK_MONOTONIC));
}

uint32_t budget_steps__dropped(const struct budget_steps *steps)
{
    return dropped_at(steps->budget.level);
}

static void say(const struct budget *budget, const struct budget_step *step, bool is_dropping)
{
    double amount = (double)step->amount / (1 << 20);
    const char *what = is_dropping ? "an event is dropped" : "all rates are halved, and samples weigh more";
    if (step->reason == BUDGET_CPU)
        fault__warn("hearth takes %.3g %% of all CPUs, more than max-cpu (%.3g %%): %s", (double)step->amount / 1e4,
                    (double)budget->bounds.cpu_ppm / 1e4, what);
    else if (step->reason == BUDGET_MEMORY)
        fault__warn("hearth takes %.1f MiB, more than max-memory (%.1f MiB): %s", amount,
                    (double)budget->bounds.memory_bytes / (1 << 20), what);
    else if (step->reason == BUDGET_WRITTEN)
        fault__warn("hearth writes %.2f MiB a minute, more than max-write (%.2f MiB): %s", amount,
                    (double)budget->bounds.written_bytes_a_min / (1 << 20), what);
    else
        fault__warn("hearth keeps to its budget with room to spare: %s",
                    is_dropping ? "an event is recorded again" : "all rates are doubled again");
}

static void note(struct budget_steps *steps, struct recorder *recorder)
{
    steps->lowered += steps->budget.level > 0;
    steps->dropped += budget_steps__dropped(steps);
    recorder__lose(recorder, WIRE_LOSS_BUDGET_LOWERED, steps->lowered);
    recorder__lose(recorder, WIRE_LOSS_BUDGET_DROPPED, steps->dropped);
}

bool budget_steps__judge(struct budget_steps *steps, const struct daemon_words *words,
                         const struct store_interval *interval, struct recorder *recorder)
{
    struct budget_step step;
    uint32_t before = steps->budget.level;
    const struct budget_load load = {.now_ns = clock__ns(CLOCK_MONOTONIC),
                                     .cpu_ns = interval->own_cpu_ns + interval->own_bpf_ns,
                                     .cpu_count = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
                                     .memory_bytes = interval->own_rss_bytes + interval->own_map_bytes,
                                     .written_bytes = interval->own_written_bytes,
                                     .level_most = LIMIT_BUDGET_HALVINGS + daemon_words__optional(words)};
    bool has_changed = budget__judge(&steps->budget, &load, &step);
    bool has_events_changed = dropped_at(before) != budget_steps__dropped(steps);
    if (has_changed) {
        say(&steps->budget, &step, has_events_changed);
        recorder__set_halvings(recorder, halvings_of(steps->budget.level));
    }
    note(steps, recorder);
    return has_events_changed;
}
