// Functions that are chosen among several when a program is linked with them (IFUNC): libc's memcpy is one of a dozen,
// as the processor has it. A file's own symbols tell only where the chooser is; which one it chooses here is known of
// the libraries that hearth itself runs with.
#ifndef HEARTH_COLLECTOR_PROBES_CHOSEN_FUNCTION_H
#define HEARTH_COLLECTOR_PROBES_CHOSEN_FUNCTION_H

#include <stdint.h>

#include "collector/probes/probe_file.h"

// Where in the file the chosen function begins. -ENOENT: it is not known, or lies elsewhere (time() is in the vDSO).
int chosen_function__find(const struct probe_file *file, const char *name, uint64_t *ret_file_offset);

#endif
