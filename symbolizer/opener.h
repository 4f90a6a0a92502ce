// Opens files whose file system may answer no more, in a process that can be given up.
//
//   any thread --struct opening, folder--> opener (privileged; no descriptor but this socket)
//              <--the file, or a copy in memory--
//
// A network file system or FUSE whose server is gone lets open(), stat(), read() and close() wait for ever, a FUSE
// request that its server has taken even through SIGKILL. A thread in such a wait cannot be ended, and a process that
// holds a descriptor of such a file may not be able to exit, since close() asks the server too. So the collector never
// has one: the opener gives it the file itself where the file system is local, else a copy (file_copy.h). When nothing
// comes from the opener for LIMIT_FAR_QUIET_MS, it is killed, left behind if it does not die, and another one takes its
// place; its file system is not asked again for LIMIT_FAR_AGAIN_MS. One that takes more than LIMIT_FAR_SPENT_MS of
// waiting in sum is passed over in the same way.
//
// There is one opener in a process, begun when it is first needed. All functions: any thread, one request at a time.
#ifndef HEARTH_SYMBOLIZER_OPENER_H
#define HEARTH_SYMBOLIZER_OPENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/opening.h"

// Begins it, while the process that forks it is small. Not needed: the first request does it otherwise.
void opener__begin(void);
// Kills it; the next request begins another one.
void opener__end(void);

// folder_fd is borrowed; -1: none. -ETIMEDOUT: the file system does not answer; else as opening__run_apart.
int opener__ask(const struct opening *opening, int folder_fd, struct opened *ret_opened);

// Requests that had no answer, since the start.
uint64_t opener__unanswered(void);
// A sentence on a file system that was found not to answer, once for each; false: there is none.
bool opener__tell(char *text, size_t text_bytes);

#endif
