// The words of a recording beside the daemon's own: those of `hearth record` that say what is collected, of whom and
// how long. No command, no file: a rule or a member of a group may give them, and root's process runs by them.
#ifndef HEARTH_COLLECTOR_DAEMON_SIDE_WORDS_H
#define HEARTH_COLLECTOR_DAEMON_SIDE_WORDS_H

#include "store/base/fault.h"

// The words behind `record`. -EINVAL with a fault (EXIT_CODE_USAGE); -ENOMEM.
int side_words__check(int argc, const char *const *argv, struct fault *fault);

#endif
