// Names of JIT code, from the files runtimes leave for profilers, as a worker's job: these files are strangers' too.
#ifndef HEARTH_SYMBOLIZER_JIT_NAMES_H
#define HEARTH_SYMBOLIZER_JIT_NAMES_H

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

// Opens the file of one kind that a process left. -ENOENT: none.
int jit_names__open(enum jit_source source, int pid, int *ret_fd);

// Appends for each address "NAME", "FILE" and "LINE", each with a NUL; empty where unknown.
int jit_names__read(enum jit_source source, int fd, const uint64_t *addresses, size_t count, struct buf *out);

#endif
