// The folder `incidents` of the daemon's directory: a store for each recording that ran beside the daemon's own, for a
// bounded time, because somebody asked or a rule held. Named by when it began, in UTC, and its number:
//
//   incidents/20261121T134501Z-1.db
//
// No reader of the directory takes them for a part of the day.
#ifndef HEARTH_STORE_DIRECTORY_INCIDENTS_H
#define HEARTH_STORE_DIRECTORY_INCIDENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/fault.h"

#define INCIDENTS_FOLDER    "incidents"
#define INCIDENT_NAME_BYTES 48

void incident__name(uint64_t wall_ns, uint64_t number, char ret_name[INCIDENT_NAME_BYTES]);
// False: the name of something else.
bool incident__parse(const char *name, uint64_t *ret_wall_ns);

// Makes the folder where there is none.
int incidents__make(const char *directory, struct fault *fault);
// The bytes that its files take on the disk.
uint64_t incidents__bytes(const char *directory);
// Removes the store that began first, unless it began at `before_ns` or later. ret_bytes: what it took; 0: none is
// left. 0 or -errno.
int incidents__remove_oldest(const char *directory, uint64_t before_ns, uint64_t *ret_bytes);

#endif
