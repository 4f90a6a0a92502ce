// The privileges that a server gives up once it listens: all that can change anything.
//
// Of root's nothing is left but CAP_DAC_READ_SEARCH, since the daemon's directory is root's, and uid and gid are
// nobody's. A filter of system calls opens files for reading only, and has no execve(), no socket() and no connect().
// Where the kernel has Landlock, nothing can be opened but what lies beside the store and below the folder of sources,
// and the files that name users and zones of time. A server without a store keeps no capability, and opens no file.
#ifndef HEARTH_STORE_SYSTEM_CONFINEMENT_H
#define HEARTH_STORE_SYSTEM_CONFINEMENT_H

#include "store/base/fault.h"

// For good, of this process and those that it forks. NULL: there is no store, no folder of sources. An error: the
// server must not go on.
int confinement__enter(const char *store, const char *sources, struct fault *fault);

#endif
