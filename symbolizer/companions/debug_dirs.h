// Where the files that belong to a binary are looked for: its separate debug file by build id or by .gnu_debuglink,
// dwz's alternate file, split DWARF. The names come from inside the binary, or from a worker that was taken over:
// nothing is given out but regular ELF files below the root the binary was seen in, of the id asked for, and below our
// own root those in the debug folders; and of no other owner than the binary, root or ourselves, for what one user's
// file says is not kept for another's (file_identity.h).
#ifndef HEARTH_SYMBOLIZER_COMPANIONS_DEBUG_DIRS_H
#define HEARTH_SYMBOLIZER_COMPANIONS_DEBUG_DIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "symbolizer/companions/companion.h"

struct debug_dirs {
    const char *const *dirs; // ended by NULL; /usr/lib/debug
    int root_fd;             // of the process that mapped the binary; -1: ours
    const char *path;        // of the binary, below that root; may be NULL
    bool has_owner;          // of the binary: file_identity__owner
    uint64_t owner;
};

// Opens a companion of the binary. -ENOENT: nowhere.
int debug_dirs__open(const struct debug_dirs *where, const struct companion *companion, int *ret_fd);

#endif
