#include "report/serve/store_version.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/hash.h"

// The sum does not depend on the order of the folder.
static uint64_t version_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    const uint64_t facts[] = {(uint64_t)status.st_size, (uint64_t)status.st_mtim.tv_sec,
                              (uint64_t)status.st_mtim.tv_nsec, (uint64_t)status.st_ino};
    return hash__bytes(path, strlen(path)) ^ hash__bytes(facts, sizeof(facts));
}

static uint64_t version_of_joined(const char *start, const char *joint, const char *end)
{
    char path[PATH_MAX];
    size_t length = (size_t)snprintf(path, sizeof(path), "%s%s%s", start, joint, end);
    return length < sizeof(path) ? version_of(path) : 0;
}

static bool is_of_store(const char *name)
{
    const char *end = strstr(name, ".db");
    return end && (!end[3] || strcmp(end, ".db-wal") == 0);
}

uint64_t store_version__of(const char *store)
{
    uint64_t sum = version_of(store) + version_of_joined(store, "-wal", "");
    DIR *folder = opendir(store);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (is_of_store(entry->d_name))
            sum += version_of_joined(store, "/", entry->d_name);
    if (folder)
        closedir(folder);
    return sum;
}
