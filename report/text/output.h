// A file that is there whole or not at all: written aside in the same folder, then renamed. "-" is stdout; what is no
// regular file (/dev/stdout, a pipe) is written as it is.
#ifndef HEARTH_REPORT_TEXT_OUTPUT_H
#define HEARTH_REPORT_TEXT_OUTPUT_H

#include <stdio.h>

#include "store/base/fault.h"

struct output;

int output__open(const char *path, struct fault *fault, struct output **ret_output);
FILE *output__file(struct output *output);
// Renames; -EIO and the like with a fault when not all could be written. Frees the output in any case.
int output__commit(struct output *output, struct fault *fault);
// Flushes: 0, or why something that was written has not arrived. -EPIPE: nobody reads it any more.
int output__flush(FILE *file);
// Throws away what was written.
void output__free(struct output *output);

#endif
