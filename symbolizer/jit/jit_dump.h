// The functions of JIT code with their lines, as runtimes write them for perf into jit-PID.dump (perf's jitdump
// specification, version 1). The runtime maps the file's first page executable, which is how it is found.
//
// A header, then records: JIT_CODE_LOAD (address, size, name), JIT_CODE_MOVE, JIT_CODE_DEBUG_INFO (address -> file and
// line; stands before the load it belongs to). A later record wins.
#ifndef HEARTH_SYMBOLIZER_JIT_JIT_DUMP_H
#define HEARTH_SYMBOLIZER_JIT_JIT_DUMP_H

#include <stdint.h>
#include <sys/types.h>

#include "symbolizer/jit/jit_frame.h"

// Opens the dump a process has mapped. -ENOENT: none.
int jit_dump__open(pid_t pid, int *ret_fd);

// Reads the file and fills in the frames of the addresses it knows. -EBADMSG: no dump; what stands before damage
// counts. ret_end: behind the last record whose words are complete.
int jit_dump__find(int fd, const struct jit_search *search, uint64_t *ret_end);

#endif
