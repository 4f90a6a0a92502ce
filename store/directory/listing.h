// The day files of a directory, and what else takes room there.
#ifndef HEARTH_STORE_DIRECTORY_LISTING_H
#define HEARTH_STORE_DIRECTORY_LISTING_H

#include <stddef.h>

#include "store/base/fault.h"
#include "store/day_file.h"

struct listed {
    struct day_file file;
    char name[DAY_FILE_NAME_BYTES];
    uint64_t bytes; // on the disk, its WAL included
};

struct listing {
    struct listed *items; // by day, tier and number
    size_t count;
    uint64_t bytes; // of all files of the directory, incidents included
};

// An entry that goes away meanwhile is passed over.
int listing__read(const char *directory, struct fault *fault, struct listing *ret_listing);
void listing__release(struct listing *listing);

// Removes a file and its WAL. 0 or -errno; one that is not there is fine.
int listing__remove(const char *directory, const char *name);
// Gives a file that cannot be read or written a name that nobody opens.
int listing__set_aside(const char *directory, const struct day_file *file);

#endif
