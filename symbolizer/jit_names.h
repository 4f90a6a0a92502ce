// Names of JIT code, from the files runtimes leave for profilers, as a worker's job: these files are strangers' too.
#ifndef HEARTH_SYMBOLIZER_JIT_NAMES_H
#define HEARTH_SYMBOLIZER_JIT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"

struct jit_frame {
    char *name; // owned; NULL: there is none
    char *file; // owned; NULL: unknown
    uint32_t line;
};

void jit_frame__release(struct jit_frame *frame);

enum jit_source { // in the order in which they are tried: a dump knows lines
    JIT_SOURCE_DUMP,
    JIT_SOURCE_PERF_MAP,
    JIT_SOURCES,
};

struct jit_search {
    const uint64_t *addresses;
    size_t count;
    struct jit_frame *frames; // of each; left as they are where nothing is known
    uint64_t from;            // where to begin in the file: 0, or the end of the last reading
    bool is_last;             // nothing will be appended: what has no end yet counts too
};

// Appends for each address "NAME", "FILE" and "LINE", each with a NUL, empty where unknown; then where the next reading
// is to begin.
int jit_names__read(enum jit_source source, int fd, struct jit_search *search, struct buf *out);

#endif
