// The name of one address of JIT code, and the search for the names of many: for the readers of perf maps and jitdumps.
#ifndef HEARTH_SYMBOLIZER_JIT_JIT_FRAME_H
#define HEARTH_SYMBOLIZER_JIT_JIT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jit_frame {
    char *name; // owned; NULL: there is none
    char *file; // owned; NULL: unknown
    uint32_t line;
};

void jit_frame__release(struct jit_frame *frame);

struct jit_search {
    const uint64_t *addresses;
    size_t count;
    struct jit_frame *frames; // of each; left as they are where nothing is known
    uint64_t from;            // where to begin in the file: 0, or the end of the last reading
    bool is_last;             // nothing will be appended: what has no end yet counts too
};

#endif
