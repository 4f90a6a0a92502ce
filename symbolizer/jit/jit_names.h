// Names of JIT code, from the files runtimes leave for profilers, as a worker's job: these files are strangers' too.
#ifndef HEARTH_SYMBOLIZER_JIT_JIT_NAMES_H
#define HEARTH_SYMBOLIZER_JIT_JIT_NAMES_H

#include "store/base/buf.h"
#include "symbolizer/jit/jit_frame.h"

enum jit_source { // in the order in which they are tried: a dump knows lines
    JIT_SOURCE_DUMP,
    JIT_SOURCE_PERF_MAP,
    JIT_SOURCES,
};

// Appends for each address "NAME", "FILE" and "LINE", each with a NUL, empty where unknown; then where the next reading
// is to begin.
int jit_names__read(enum jit_source source, int fd, struct jit_search *search, struct buf *out);

#endif
