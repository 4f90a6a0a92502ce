// The options of `hearth record`, as one table that fills a struct record_words. A command line fills it, and so can a
// file or a request.
#ifndef HEARTH_COLLECTOR_SESSION_RECORD_WORDS_H
#define HEARTH_COLLECTOR_SESSION_RECORD_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/session/recorder.h"
#include "collector/sources/hist_options.h"
#include "collector/who/target.h"
#include "store/base/fault.h"
#include "store/base/limits.h"
#include "store/base/options.h"

struct record_words {
    struct option_list events, hists;
    struct hist_words hist_words;
    struct target_options target;
    uint64_t frequency_hz, period, min_wait_ns, max_wait_ns, duration_ns, drain_ns;
    double bpf_share;
    const char *output;
    bool inlined, threads;
    enum wire_unwind unwind;
    uint64_t guests_off; // bits of enum wire_guest_kind
};

// The options as they are where the command line gives none.
#define RECORD_WORDS_DEFAULTS                                                                                          \
    {                                                                                                                  \
        .bpf_share = LIMIT_BPF_SHARE, .drain_ns = 5000000000u, .output = "hearth.db", .inlined = true                  \
    }

extern const struct option_row record_word_rows[];

// Whether the words go together. -EINVAL with a fault.
int record_words__check(const struct record_words *words, struct hist_options *ret_hist, struct fault *fault);

// The options of a recording that the words stand for, but for its events, its store and who owns it. `hist` is what
// record_words__check gave.
struct recorder_options record_words__options(const struct record_words *words, const struct hist_options *hist);

// The events, and behind them the histograms; the caller frees the array, which borrows from the words and from `hist`.
int record_words__list_events(const struct record_words *words, const struct hist_options *hist,
                              struct recorder_event **ret_events, size_t *ret_count, struct fault *fault);

#endif
