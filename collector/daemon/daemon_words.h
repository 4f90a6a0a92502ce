// The options of `hearth daemon`: those of record with other defaults, and the daemon's own. The file is read first,
// and the command line after it: where an option may be given once, the command line's holds; events of both are
// recorded.
#ifndef HEARTH_COLLECTOR_DAEMON_DAEMON_WORDS_H
#define HEARTH_COLLECTOR_DAEMON_DAEMON_WORDS_H

#include <limits.h>
#include <stdbool.h>

#include "collector/daemon/conf.h"
#include "collector/session/record_words.h"
#include "store/base/fault.h"
#include "store/base/options.h"

#define DAEMON_FREQUENCY_HZ 19
#define DAEMON_CONF         "/etc/hearth.conf"
#define DAEMON_DIRECTORY    "/var/lib/hearth"

struct daemon_words {
    const char *conf; // NULL: DAEMON_CONF, if it is there
    struct record_words record;
    uint64_t keep_bytes;
    uint64_t memory_bytes, written_bytes_a_min; // 0: no bound
    struct option_list when;                    // rules, see rule.h
    struct option_list drop;                    // events that may be dropped, in that order; none: all but the first
    const char *control, *ask, *metrics;        // NULL: not given
    bool is_placed;                             // the command line names the directory
    struct conf file;                           // from which the words borrow
};

extern const struct option_row daemon_word_rows[]; // of a struct daemon_words
extern const struct daemon_words daemon_defaults;

// The file, and the options argv[0..argc) after it. On failure nothing is kept. The words borrow from each other: they
// stay where they are.
int daemon_words__read(struct daemon_words *words, int argc, char **argv, struct fault *fault);
void daemon_words__release(struct daemon_words *words);

// The events as record_words__list_events gives them, without the first `dropped` of those that are optional.
int daemon_words__list_events(const struct daemon_words *words, const struct hist_options *hist, uint32_t dropped,
                              struct recorder_event **ret_events, size_t *ret_count, struct fault *fault);
// How many may be dropped, one after the other.
uint32_t daemon_words__optional(const struct daemon_words *words);

// The path of the control socket: the one that was given; else in the directory, where the command line names that;
// else CONTROL_SOCKET.
void daemon_words__socket(const struct daemon_words *words, char ret_path[PATH_MAX]);

// The long name of the first option that has another value and that a running recording cannot change; NULL: none.
const char *daemon_words__fixed(const struct daemon_words *words, const struct daemon_words *others);

#endif
