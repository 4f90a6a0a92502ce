// The store of a recording that ends as a report: in a folder of its own (0700) below $TMPDIR, so that SQLite's -wal
// and -shm files are nobody else's either, and go with it.
#ifndef HEARTH_COLLECTOR_KEEP_TEMPORARY_STORE_H
#define HEARTH_COLLECTOR_KEEP_TEMPORARY_STORE_H

#include <limits.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct temporary_store {
    char folder[PATH_MAX]; // "": there is none
    char path[PATH_MAX];
};

int temporary_store__make(struct temporary_store *store, struct fault *fault);
// The store stays where it is: its user was told.
void temporary_store__keep(struct temporary_store *store);
void temporary_store__remove(struct temporary_store *store);

#endif
