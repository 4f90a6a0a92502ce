// The words this process was started with, for a store to say how it was made: "hearth record -F 999 -- make -j2".
// Words that a shell would take apart are quoted for it.
#ifndef HEARTH_COLLECTOR_COMMAND_LINE_H
#define HEARTH_COLLECTOR_COMMAND_LINE_H

#include "store/base/buf.h"

// Appends the line and a NUL. Without memory the buffer says so.
void command_line__append(struct buf *line);

// The words themselves, of which the first is the program: pointers into `words`, ended by NULL, to be freed by the
// caller before it. NULL: no memory.
char **command_line__split(struct buf *words, int *ret_count);

#endif
