// The functions of JIT code, as runtimes write them into /tmp/perf-PID.map: one "START SIZE NAME" a line, in hex, the
// file only ever grown. A runtime that reuses memory writes the new function below the old one: the last line wins.
//
//   7f2a4c0010a0 1c0 LazyCompile:~handle /srv/app.js:12
#ifndef HEARTH_SYMBOLIZER_PERF_MAP_H
#define HEARTH_SYMBOLIZER_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "symbolizer/jit_names.h"

// Opens the map of a process where that process sees its /tmp, under the pid it has in its own pid namespace. -ENOENT.
int perf_map__open(pid_t pid, int *ret_fd);

// Reads the stream once and fills frames[i] for addresses[i]; leaves those it does not know.
int perf_map__find(FILE *stream, const uint64_t *addresses, size_t count, struct jit_frame *frames);

#endif
