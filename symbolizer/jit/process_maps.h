// The executable mappings of a live process, to turn its addresses into files and offsets.
#ifndef HEARTH_SYMBOLIZER_JIT_PROCESS_MAPS_H
#define HEARTH_SYMBOLIZER_JIT_PROCESS_MAPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/cleanup.h"

struct process_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset;
    uint64_t inode;  // 0: no file
    uint32_t device; // major << 20 | minor
    char *path;      // "" anonymous; "[vdso]"
};

struct process_maps {
    struct process_mapping *mappings;
    size_t count;
};

// -ENOENT: no such process.
int process_maps__read(pid_t pid, struct process_maps *ret_maps);
void process_maps__release(struct process_maps *maps);
const struct process_mapping *process_maps__find(const struct process_maps *maps, uint64_t address);

// Opens the file of a mapping, also one that was deleted or replaced meanwhile: through map_files, else by its path.
// The file, or a copy where its file system may wait (foreign_file.h).
int process_maps__open(pid_t pid, const struct process_mapping *mapping, int *ret_fd);
// The same, but -EXDEV where the file system may wait.
int process_maps__open_itself(pid_t pid, const struct process_mapping *mapping, int *ret_fd);

#endif
