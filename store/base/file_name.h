// The file name of a path, without its folders: "/usr/bin/sqlite3" -> "sqlite3", "/" and "dir/" -> themselves. Within
// the path's own memory.
#ifndef HEARTH_STORE_BASE_FILE_NAME_H
#define HEARTH_STORE_BASE_FILE_NAME_H

#include <string.h>

static inline const char *file_name__of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

#endif
