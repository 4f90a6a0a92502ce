#include "collector/session/cache_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int cache_folder__find(const char *name, char *ret_path, size_t bytes)
{
    const char *root = getenv("CACHE_DIRECTORY");
    if (!root || !*root)
        root = "/var/cache/hearth";
    if (mkdir(root, 0755) != 0 && errno != EEXIST)
        return -errno;
    if ((size_t)snprintf(ret_path, bytes, "%s/%s", root, name) >= bytes)
        return -ENAMETOOLONG;
    if (mkdir(ret_path, 0700) != 0 && errno != EEXIST)
        return -errno;
    return access(ret_path, R_OK | W_OK | X_OK) == 0 ? 0 : -errno;
}
