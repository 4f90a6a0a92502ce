// Where rows, names and types of the kernel are kept between recordings: $CACHE_DIRECTORY, as systemd sets it, else
// /var/cache/hearth. Everything in it can be made again; it may be removed at any time.
#ifndef HEARTH_COLLECTOR_SESSION_CACHE_FOLDER_H
#define HEARTH_COLLECTOR_SESSION_CACHE_FOLDER_H

#include <stddef.h>

// The path of a folder in it, made where it is missing: 0, or why it cannot be had (-EROFS, -EACCES, -ENAMETOOLONG);
// then go on without.
int cache_folder__find(const char *name, char *ret_path, size_t bytes);

#endif
