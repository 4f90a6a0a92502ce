// The files that belong to a binary and that its own contents name: its separate debug file, dwz's alternate file, the
// split halves of its units. A job cannot open anything itself; the caller of the job opens them.
#ifndef HEARTH_SYMBOLIZER_COMPANIONS_COMPANION_H
#define HEARTH_SYMBOLIZER_COMPANIONS_COMPANION_H

#include <stdint.h>

// A file the binary names, by one of its ways of naming.
enum companion_kind {
    COMPANION_DEBUG_BY_ID,   // name: empty; build_id: the binary's
    COMPANION_DEBUG_BY_LINK, // name: from .gnu_debuglink, without a folder
    COMPANION_ALTERNATE,     // name: from .gnu_debugaltlink, build_id: its own
    COMPANION_DWP,           // name: empty: beside the binary
    COMPANION_DWO,           // name: as the compiler wrote it; folder: the compilation's
};

struct companion {
    enum companion_kind kind;
    uint32_t build_id_bytes;
    uint8_t build_id[20];
    char name[512];
    char folder[512];
};

struct companion_opener {
    // The caller closes the descriptor. -ENOENT: there is none.
    int (*open)(void *context, const struct companion *companion, int *ret_fd);
    void *context;
};

#endif
