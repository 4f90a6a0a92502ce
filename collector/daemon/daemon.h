// The daemon: one recording after another into a directory of day files, for months. SIGHUP reads the file again;
// SIGINT and SIGTERM end it with a whole store.
#ifndef HEARTH_COLLECTOR_DAEMON_DAEMON_H
#define HEARTH_COLLECTOR_DAEMON_DAEMON_H

#include "collector/daemon/daemon_words.h"

// The command line is for the stores; argv[0..argc) are the options of the command line, read again at each SIGHUP. A
// file that is bad at the start is an error; later it is said, and what holds goes on.
int daemon__run(const char *command_line, int argc, char **argv, struct fault *fault);

#endif
