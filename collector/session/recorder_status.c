// A recording while it runs, in numbers.
#include <stdio.h>
#include <sys/resource.h>

#include "collector/session/recorder_insides.h"
#include "store/base/limits.h"

void recorder_status__note(struct recorder *recorder, const struct store_interval *interval)
{
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    recorder->last = *interval;
    recorder->last.losses = NULL; // of the caller's
    recorder->last_samples = totals->samples - recorder->all_samples;
    recorder->last_lost = totals->lost - recorder->all_lost;
    recorder->all_samples = totals->samples;
    recorder->all_lost = totals->lost;
}

// Half of what this process may have: probes, maps and processes take theirs too.
static size_t descriptors_most(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)(limit.rlim_cur / 2) : SIZE_MAX;
}

bool recorder__is_outgrown(const struct recorder *recorder, char *ret_why, size_t bytes)
{
    struct binaries_weight weight = binaries__weigh(recorder->binaries);
    if (weight.deleted_bytes > LIMIT_ENDLESS_DELETED_BYTES)
        snprintf(ret_why, bytes, "%llu MiB of deleted binaries", (unsigned long long)(weight.deleted_bytes >> 20));
    else if (weight.count > LIMIT_ENDLESS_BINARIES || weight.descriptors > descriptors_most())
        snprintf(ret_why, bytes, "%zu binaries by %zu descriptors", weight.count, weight.descriptors);
    else
        return false;
    return true;
}

static void tell_event(const struct recorder *recorder, size_t index, struct recorder_event_status *event)
{
    const struct event *own = &recorder->events[index];
    *event = (struct recorder_event_status){
        .spelled = own->spelled,
        .is_histogram = own->hist != NULL,
        .is_sampled = own->source->is_sampled,
        .frequency_hz = own->source->is_sampled ? own->frequency_hz : 0,
        .period = own->source->is_sampled ? own->period : 0,
        .halvings = governor__halvings(recorder->governor, index),
    };
}

void recorder__tell(const struct recorder *recorder, struct recorder_status *ret_status)
{
    *ret_status = (struct recorder_status){
        .since_ns = clock__ns(CLOCK_REALTIME) - (clock__ns(CLOCK_MONOTONIC) - recorder->started_ns),
        .bpf_share = governor__share(recorder->governor),
        .last = recorder->last,
        .last_samples = recorder->last_samples,
        .last_lost = recorder->last_lost,
    };
    for (size_t i = 0; i < recorder->event_count; i++)
        if (recorder->events[i].attached)
            tell_event(recorder, i, &ret_status->events[ret_status->event_count++]);
}
