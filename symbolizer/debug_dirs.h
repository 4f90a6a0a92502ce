// Where the files that belong to a binary are looked for: its separate debug file by build id or by .gnu_debuglink,
// dwz's alternate file, split DWARF. The names come from inside the binary, from strangers: nothing is opened but
// regular files below the root the binary was seen in, or below our own.
#ifndef HEARTH_SYMBOLIZER_DEBUG_DIRS_H
#define HEARTH_SYMBOLIZER_DEBUG_DIRS_H

#include "symbolizer/naming_job.h"

struct debug_dirs {
    const char *const *dirs; // ended by NULL; /usr/lib/debug
    int root_fd;             // of the process that mapped the binary; -1: ours
    const char *path;        // of the binary, below that root; may be NULL
};

// Opens a companion of the binary. -ENOENT: nowhere.
int debug_dirs__open(const struct debug_dirs *where, const struct companion *companion, int *ret_fd);

#endif
