// The executable files that processes map right now, as the kernel side keys them: asked of the kernel itself by a BPF
// iterator (bpf/mapped_files.bpf.c), since /proc does not tell a file's generation.
#ifndef HEARTH_COLLECTOR_PROGRAMS_MAPPED_FILES_H
#define HEARTH_COLLECTOR_PROGRAMS_MAPPED_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/wire/wire.h"
#include "collector/programs/loader.h"

struct mapped_file {
    struct wire_note note; // one of its mappings
    uint32_t processes;    // how many map it
    bool is_wanted;        // by one of the processes asked for
    bool is_active;        // by a process that has run within the last second
};

struct mapped_files {
    struct mapped_file *files; // the most mapped first
    size_t count, capacity;
};

// Cost: 1 us a mapping. -EOPNOTSUPP and the like where the kernel has no such iterator.
int mapped_files__read(struct loader *loader, const uint32_t *wanted_tgids, size_t wanted_count,
                       struct mapped_files *ret_files);
void mapped_files__release(struct mapped_files *files);

// Opens the file of a mapping, and tells its path as its process sees it. -ENOENT: the process or the mapping is gone;
// -EINVAL: not a regular file; -ETIMEDOUT: its file system does not answer, but the path is told.
int mapped_file__open(const struct wire_note *note, char *path, size_t path_bytes, int *ret_fd);

#endif
