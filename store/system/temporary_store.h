// A store that its command needs for a moment, as a recording that ends as a report: in a folder of its own (0700)
// below $TMPDIR, so that SQLite's -wal and -shm files are nobody else's either, and go with it.
#ifndef HEARTH_STORE_SYSTEM_TEMPORARY_STORE_H
#define HEARTH_STORE_SYSTEM_TEMPORARY_STORE_H

#include <limits.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct temporary_store {
    char folder[PATH_MAX]; // "": there is none
    char path[PATH_MAX];
    int lock_fd; // the folder, locked by flock() for as long as the store is used; -1: it could not be
};

int temporary_store__make(struct temporary_store *store, struct fault *fault);
// In a folder below `parent` instead.
int temporary_store__make_in(const char *parent, struct temporary_store *store, struct fault *fault);
// Removes this user's below `parent` whose processes have ended without it, as by SIGKILL; making one does that first.
void temporary_store__sweep(const char *parent);
// The store stays where it is: its user was told.
void temporary_store__keep(struct temporary_store *store);
void temporary_store__remove(struct temporary_store *store);

// For commands without a loop: SIGINT, SIGTERM, SIGHUP and SIGPIPE, where they would end the process, remove its stores
// first. At most TEMPORARY_STORES_WATCHED at a time; the store must stay where it is.
enum { TEMPORARY_STORES_WATCHED = 2 };
void temporary_store__watch_signals(struct temporary_store *store);

#endif
