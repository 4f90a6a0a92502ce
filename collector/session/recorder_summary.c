// A recording in numbers, at its end: samples, losses, the cost of hearth, and the cost of each probe.
#include <stdio.h>

#include "collector/session/recorder_insides.h"

// The hits that the event has counted: fewer than its programs ran for, where the filter left some out.
static uint64_t count_hits(struct recorder *recorder, const struct event *event)
{
    struct hist_sums sums;
    if (!event->hist)
        return keeper__totals(recorder->keeper)->event_samples[event - recorder->events];
    return hist__sums(recorder->hist, event, &sums) == 0 ? sums.count + sums.unmatched + sums.lost : 0;
}

// Of probes that were hit.
static void add_cost(struct recorder *recorder, const struct event *event)
{
    uint64_t runs, ns;
    event__read_runs(event, &runs, &ns);
    if (!runs || !event->source->is_probe)
        return;
    double scale = bpf_meter__scale(recorder->meter), runs_a_hit = event->is_call || event->is_pair ? 2 : 1;
    uint64_t hits = (uint64_t)((double)runs * scale / runs_a_hit + 0.5), counted = count_hits(recorder, event);
    recorder->summary.costs[recorder->summary.cost_count++] = (struct probe_cost){
        .spelled = event->spelled,
        .hits = counted,
        .passed_over = hits > 2 * counted ? hits - counted : 0, // the estimate of `hits` may be wrong by as much
        .is_call = event->is_call,
        .is_pair = event->is_pair,
        .program_ns = (uint32_t)((double)ns * runs_a_hit / (double)runs),
        .trap = event->trap,
    };
}

static void add_histogram(struct recorder *recorder, const struct event *event)
{
    struct hist_sums sums;
    if (!event->hist || hist__sums(recorder->hist, event, &sums) != 0)
        return;
    recorder->summary.hist_count++;
    recorder->summary.hist.count += sums.count;
    recorder->summary.hist.unmatched += sums.unmatched;
    recorder->summary.hist.lost += sums.lost;
}

// The unwinder's thread is through with what runs at the start after the recording has begun, or before.
static uint64_t late_start_ns(const struct recorder *recorder)
{
    uint64_t ns = recorder->unwinder ? unwinder__totals(recorder->unwinder).start_cpu_ns : 0;
    return ns > recorder->unwinder_cpu_ns ? ns - recorder->unwinder_cpu_ns : 0;
}

void recorder_summary__fill(struct recorder *recorder, struct recorder_summary *ret_summary)
{
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    struct own_cost cost;
    recorder_interval__read_cost(recorder, &cost);
    recorder->summary.samples = totals->samples - totals->not_stored;
    recorder->summary.stacks = totals->stacks;
    recorder->summary.lost = totals->lost;
    recorder->summary.truncated = totals->truncated;
    recorder->summary.clocked_samples = totals->clocked.samples;
    recorder->summary.clocked_ns = totals->clocked.ns;
    recorder->summary.unsampled_ns = totals->clocked.unsampled_ns;
    recorder->summary.own_cpu_ns = cost.cpu_ns;
    recorder->summary.own_bpf_ns = cost.bpf_ns;
    recorder->summary.start_cpu_ns += late_start_ns(recorder);
    recorder->summary.peak_rss_bytes = cost.peak_rss_bytes;
    for (size_t i = 0; i < recorder->event_count; i++) {
        add_cost(recorder, &recorder->events[i]);
        add_histogram(recorder, &recorder->events[i]);
    }
    *ret_summary = recorder->summary;
}

const char *recorder_summary__cost(const struct recorder_summary *summary, char out[RECORDER_COST_BYTES])
{
    double all_s = (double)(summary->own_cpu_ns + summary->own_bpf_ns) / 1e9;
    double start_s = (double)summary->start_cpu_ns / 1e9, elapsed_s = (double)summary->elapsed_ns / 1e9;
    double running_s = all_s > start_s ? all_s - start_s : 0;
    snprintf(out, RECORDER_COST_BYTES,
             "%.2f s of CPU: %.2f s to start, %.2f s in %.1f s of recording (%.2f %% of a CPU); %.1f MiB", all_s,
             start_s, running_s, elapsed_s, elapsed_s > 0 ? 100 * running_s / elapsed_s : 0,
             (double)summary->peak_rss_bytes / (1024 * 1024));
    return out;
}
