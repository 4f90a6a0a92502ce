// `hearth daemon --ask WORDS`: asks the running daemon, shows what it answers, and waits for the end.
//
//   hearth daemon --ask 'record -p 4711 -F 999 -d 30'
//   hearth daemon --ask 'stat json'
#ifndef HEARTH_COLLECTOR_DAEMON_ASK_H
#define HEARTH_COLLECTOR_DAEMON_ASK_H

#include "store/base/fault.h"

// `words`: parted by blanks; a word in quotes may hold some. Prints the path of a recording's store to stdout: who may
// not read that file gets a copy in the current folder, and its name. SIGINT and SIGTERM end the recording early, as
// those of `hearth record` do; a second one ends the waiting. The exit code is the request's.
enum exit_code ask__run(const char *socket_path, const char *words, struct fault *fault);

#endif
