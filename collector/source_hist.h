// The probes of `hearth hist`: rows of the same kind as sources[], each with a histogram's options.
#ifndef HEARTH_COLLECTOR_SOURCE_HIST_H
#define HEARTH_COLLECTOR_SOURCE_HIST_H

#include "collector/source.h"

// As the command line leaves it; the same for all probes of it.
struct hist_options {
    enum wire_hist_by by;
    uint8_t by_argument, by_bytes;
    bool by_is_signed, by_has_type;
    bool has_key, has_value;
    uint8_t argument, bytes; // of the key, or of the value
    bool is_signed, has_type;
    bool stacks;
};

extern const struct source hist_sources[]; // ended by a row without a spelling

// "comm", "pid", "tid", "cgroup" or "argN", "argN:s32". -EINVAL with a fault.
int hist_options__by(struct hist_options *options, const char *text, struct fault *fault);
// "argN", "argN:u8" to "argN:s64", or "retval". -EINVAL with a fault.
int hist_options__argument(struct hist_options *options, const char *text, struct fault *fault);

// For the sources in files of their own: the options for the programs, and the words for an option that means nothing
// for the event.
int hist_event__configure(struct event *event, struct loaded *loaded, struct fault *fault);
int hist_event__misplaced(const struct event *event, const char *option, struct fault *fault);

#endif
