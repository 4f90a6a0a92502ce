// The executable mappings of one process: sorted, disjoint; a new one cuts away what it covers, as mmap does. Memory of
// no file is one row, gaps included, from its first page to its last one before the next file.
#ifndef HEARTH_COLLECTOR_WHO_MAPPINGS_H
#define HEARTH_COLLECTOR_WHO_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/who/binaries.h"

struct mapping {
    uint64_t start, end;
    uint64_t file_offset;
    struct binary *binary;
};

struct mappings {
    struct mapping *rows; // sorted, disjoint
    size_t count, capacity;
};

// -ENOMEM; -ENOSPC where LIMIT_MAPPINGS_A_PROCESS are known: munmap() has no record, so they may be gone by now.
int mappings__add(struct mappings *mappings, const struct mapping *added);
// Whether it would cover other code than what is known to be there.
bool mappings__replaces(const struct mappings *mappings, const struct mapping *mapping);
const struct mapping *mappings__find(const struct mappings *mappings, uint64_t address);
int mappings__copy(struct mappings *to, const struct mappings *from);
void mappings__release(struct mappings *mappings);

#endif
