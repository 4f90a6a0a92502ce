// Opens files whose file system may not answer, in a process that can be killed.
//
//   any thread --struct opening, folder--> opener (privileged; no descriptor but this socket)
//              <--the file, or a copy in memory--
//
// When the server of a network file system or of FUSE is gone, open(), stat(), read() and close() wait for ever; a FUSE
// request that its server has taken waits even through SIGKILL. A thread in such a wait cannot be ended, and a process
// that holds a descriptor of such a file may not be able to exit, since close() asks the server too. So the collector
// never has one: the opener gives it the file itself where the file system is local, else a copy (file_copy.h).
//
// When the opener sends nothing for LIMIT_OPENER_ANSWER_MS, opener__ask() kills it, forks another one, and asks for no
// file of that file system for LIMIT_OPENER_AGAIN_MS. An opener that SIGKILL does not end is left behind
// (LIMIT_OPENERS_LEFT). A file system that takes more than LIMIT_OPENER_SPENT_MS in sum is passed over in the same way.
//
// A process has one opener, which the first request forks. All functions: any thread, one request at a time.
#ifndef HEARTH_SYMBOLIZER_OPENING_OPENER_H
#define HEARTH_SYMBOLIZER_OPENING_OPENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/opening/opening.h"

// Forks the opener now, while this process is small and fork() is cheap. Optional: the first request does it otherwise.
void opener__begin(void);
// Kills the opener; the next request forks another one.
void opener__end(void);

// folder_fd is borrowed; -1: none. -ETIMEDOUT: the file system does not answer; else as opening__run_apart.
int opener__ask(const struct opening *opening, int folder_fd, struct opened *ret_opened);

// Requests that had no answer, or were not made since their file system is passed over; since the start.
uint64_t opener__unanswered(void);
// A sentence on a file system that did not answer, once for each time that it begins to be passed over; false: none.
bool opener__tell(char *text, size_t text_bytes);

#endif
