// A source file that a binary's debug information names, as lines. The name is a stranger's: whoever may run a program
// here chooses it, and reads what a report of root shows. So only a regular file is opened, and only one that all users
// may read or that is the caller's own, unless the user has said in which folder sources are.
#ifndef HEARTH_REPORT_TEXT_SOURCE_TEXT_H
#define HEARTH_REPORT_TEXT_SOURCE_TEXT_H

#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/fault.h"

struct source_text {
    struct buf bytes; // each line ended by a NUL
    const char **lines;
    uint32_t count;
    uint64_t changed_ns; // wall clock
};

// folder: where sources are, below which the path, or an end of it, is looked for without symbolic links; NULL: the
// path is opened as it is. -EACCES, -ENOENT, -EBADMSG (no text), -EFBIG (LIMIT_SOURCE_TEXT_BYTES) ..., with their words
// in the fault.
int source_text__open(const char *folder, const char *path, struct source_text *ret_text, struct fault *fault);
// Line 1 is the first; NULL: there is no such line. Not clean.
const char *source_text__line(const struct source_text *text, uint32_t line);
void source_text__release(struct source_text *text);

#endif
