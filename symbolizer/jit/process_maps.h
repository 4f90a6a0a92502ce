// The executable mappings of a live process, to turn its addresses into files and offsets.
#ifndef HEARTH_SYMBOLIZER_JIT_PROCESS_MAPS_H
#define HEARTH_SYMBOLIZER_JIT_PROCESS_MAPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/cleanup.h"
#include "store/system/proc_maps.h"

struct process_maps {
    struct proc_mapping *mappings; // each owns its path
    size_t count;
};

// -ENOENT: no such process.
int process_maps__read(pid_t pid, struct process_maps *ret_maps);
void process_maps__release(struct process_maps *maps);
const struct proc_mapping *process_maps__find(const struct process_maps *maps, uint64_t address);

// Opens the file of a mapping, also one that was deleted or replaced meanwhile: through map_files, else by its path.
// The file, or a copy where its file system may wait (foreign_file.h).
int process_maps__open(pid_t pid, const struct proc_mapping *mapping, int *ret_fd);
// The same, but -EXDEV where the file system may wait.
int process_maps__open_itself(pid_t pid, const struct proc_mapping *mapping, int *ret_fd);

#endif
