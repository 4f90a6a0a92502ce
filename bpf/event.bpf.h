// An event makes of each value a count with stacks, a bucket of a histogram, or both. Two roads:
//
//   event__emit(ctx, &key, value)                of the current thread, with the stack that it has now
//
//   event__begin(ctx, &who, &sample, 1, fill)    who it is and its stack are kept, where something begins;
//   event__end(&who, value, 1, true)             counted where it ends, whoever runs there
#ifndef HEARTH_BPF_EVENT_H
#define HEARTH_BPF_EVENT_H

#include "bpf/hist.bpf.h"
#include "bpf/sample.bpf.h"

// An event that is no histogram always does.
static __always_inline bool event__keeps_stacks(void)
{
    return !own_hist.is_on || own_hist.stacks;
}

// Whose a value is that is known later.
struct event_who {
    struct wire_hist_key hist;    // of a histogram
    struct wire_count_key sample; // where stacks are kept
    __u64 has_sample;             // 0: there was no scratch to take the stacks with, which is counted
};

typedef void event_fill(void *ctx, struct scratch *scratch, const struct sample *sample);

// Keeps who the current thread is, and its stacks as `fill` takes them: sample__fill() or memo__fill(). Counts for
// `weight` samples.
static __always_inline void event__begin(void *ctx, struct event_who *who, const struct sample *sample, __u32 weight,
                                         event_fill *fill)
{
    if (own_hist.is_on)
        hist__key(&who->hist, 0);
    if (!event__keeps_stacks())
        return;
    struct scratch *scratch = scratch__take(weight);
    who->has_sample = scratch != NULL;
    if (!scratch) {
        tally__emit(weight); // samples that are lost
        return;
    }
    fill(ctx, scratch, sample);
    who->sample = scratch->key;
    scratch__give_back(scratch);
}

// A sample whose stacks are kept already. Not is_first: more of a value that is counted already, of a wait that went
// on.
static __always_inline void event__count(const struct wire_count_key *key, __u64 value, __u32 weight, bool is_first)
{
    if (is_first)
        tally__emit(weight);
    counts__add(control__active_set(), key, is_first ? weight : 0, weight * value);
}

static __always_inline void event__end(struct event_who *who, __u64 value, __u32 weight, bool is_first)
{
    if (own_hist.is_on) {
        hist__count(&who->hist, value);
        who->sample.bucket = who->hist.bucket + 1;
    }
    if (event__keeps_stacks() && who->has_sample)
        event__count(&who->sample, value, weight, is_first);
}

// A value of a histogram, or the magnitude of one below zero. returned_from: as a sample has it.
static __always_inline void event__emit_magnitude(void *ctx, struct wire_hist_key *key, __u64 value, bool is_below_zero,
                                                  __u64 returned_from)
{
    hist__count_magnitude(key, value, is_below_zero);
    if (!own_hist.stacks)
        return;
    struct sample sample = {
        .event = own_event, .value = value, .bucket = key->bucket + 1, .returned_from = returned_from};
    sample_emit(ctx, &sample);
}

static __always_inline void event__emit_returned(void *ctx, struct wire_hist_key *key, __u64 value, __u64 returned_from)
{
    event__emit_magnitude(ctx, key, value, false, returned_from);
}

static __always_inline void event__emit(void *ctx, struct wire_hist_key *key, __u64 value)
{
    event__emit_magnitude(ctx, key, value, false, 0);
}

#endif
