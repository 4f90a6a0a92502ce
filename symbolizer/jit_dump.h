// The functions of JIT code with their lines, as runtimes write them for perf into jit-PID.dump (perf's jitdump
// specification, version 1). The runtime maps the file's first page executable, which is how it is found.
//
// A header, then records: JIT_CODE_LOAD (address, size, name), JIT_CODE_MOVE, JIT_CODE_DEBUG_INFO (address -> file and
// line; stands before the load it belongs to). What comes later wins.
#ifndef HEARTH_SYMBOLIZER_JIT_DUMP_H
#define HEARTH_SYMBOLIZER_JIT_DUMP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "symbolizer/jit_names.h"

// Opens the dump a process has mapped. -ENOENT: none.
int jit_dump__open(pid_t pid, int *ret_fd);

// Reads the stream once and fills frames[i] for addresses[i]; leaves those it does not know. -EBADMSG: no dump; what
// stands before damage counts.
int jit_dump__find(FILE *stream, const uint64_t *addresses, size_t count, struct jit_frame *frames);

#endif
