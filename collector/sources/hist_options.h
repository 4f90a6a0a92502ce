// Which values a histogram counts, and by which keys it divides them: the options of `hearth hist`, and of
// `hearth record --hist`.
#ifndef HEARTH_COLLECTOR_SOURCES_HIST_OPTIONS_H
#define HEARTH_COLLECTOR_SOURCES_HIST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "store/base/fault.h"
#include "store/base/options.h"

// The same for all probes of a command line.
struct hist_options {
    enum wire_hist_by by;
    uint8_t by_argument, by_bytes;
    bool by_is_signed, by_has_type;
    bool has_key, has_value;
    uint8_t argument, bytes; // of the key, or of the value
    bool is_signed, has_type;
    bool stacks;
};

// As the rows leave it.
struct hist_words {
    const char *by, *key, *value;
    bool stacks;
};

// The rows of a table of a struct hist_words. `of`: a string literal that the help texts begin with.
#define HIST_OPTION_ROWS(of)                                                                                           \
    {0,                                                                                                                \
     "by",                                                                                                             \
     "KEY",                                                                                                            \
     of "a histogram for each comm, pid, tid, cgroup, or value of argN; arg1:s32 as for --value",                      \
     option__string,                                                                                                   \
     offsetof(struct hist_words, by)},                                                                                 \
        {0,                                                                                                            \
         "key",                                                                                                        \
         "argN",                                                                                                       \
         of "pair START and END by an argument, not by thread",                                                        \
         option__string,                                                                                               \
         offsetof(struct hist_words, key)},                                                                            \
        {0,                                                                                                            \
         "value",                                                                                                      \
         "argN",                                                                                                       \
         of "the values of an argument, or of retval; arg1:s32 where it has 32 bits and a sign",                       \
         option__string,                                                                                               \
         offsetof(struct hist_words, value)},                                                                          \
    {                                                                                                                  \
        0, "stacks", NULL,                                                                                             \
            of "keep the stacks of every bucket: `hearth report -f flame --bucket LOW..HIGH` draws them",              \
            option__flag, offsetof(struct hist_words, stacks)                                                          \
    }

// -EINVAL with a fault.
int hist_options__parse(const struct hist_words *words, struct hist_options *ret_options, struct fault *fault);

// The first option that was given, "--by"; NULL: none.
const char *hist_words__first(const struct hist_words *words);

#endif
