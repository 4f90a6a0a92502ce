// The functions of JIT code, as runtimes write them into /tmp/perf-PID.map: one "START SIZE NAME" a line, in hex, the
// file only ever grown. A runtime that reuses memory writes the new function below the old one: the last line wins.
//
//   7f2a4c0010a0 1c0 LazyCompile:~handle /srv/app.js:12
//
// Some write 0x before the numbers, tabs or several blanks between them, or end lines as Windows does.
#ifndef HEARTH_SYMBOLIZER_JIT_PERF_MAP_H
#define HEARTH_SYMBOLIZER_JIT_PERF_MAP_H

#include <stdint.h>

#include "symbolizer/jit/jit_frame.h"

// Reads the file and fills in the frames of the addresses it knows. ret_end: behind the last line that has its end.
// Holes of the file are passed over.
int perf_map__find(int fd, const struct jit_search *search, uint64_t *ret_end);

#endif
