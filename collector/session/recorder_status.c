// A recording while it runs, in numbers.
#include "collector/session/recorder_insides.h"

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
