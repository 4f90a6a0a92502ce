#include "store/directory/incidents.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/base/cleanup.h"

static inline void cleanup__closedir(DIR *directory)
{
    closedir(directory);
}
DEFINE_CLEANUP(DIR *, cleanup__closedir);

void incident__name(uint64_t wall_ns, uint64_t number, char ret_name[INCIDENT_NAME_BYTES])
{
    time_t seconds = (time_t)(wall_ns / 1000000000u);
    struct tm utc;
    char time[24];
    gmtime_r(&seconds, &utc);
    strftime(time, sizeof(time), "%Y%m%dT%H%M%SZ", &utc);
    snprintf(ret_name, INCIDENT_NAME_BYTES, "%s-%llu.db", time, (unsigned long long)number);
}

bool incident__parse(const char *name, uint64_t *ret_wall_ns)
{
    char again[INCIDENT_NAME_BYTES];
    struct tm utc = {0};
    unsigned long long number;
    int length = 0;
    const char *rest = strptime(name, "%Y%m%dT%H%M%SZ-", &utc);
    if (!rest || sscanf(rest, "%llu.db%n", &number, &length) != 1 || !length || rest[length])
        return false;
    uint64_t wall_ns = (uint64_t)timegm(&utc) * 1000000000u;
    incident__name(wall_ns, number, again);
    if (strcmp(name, again) != 0)
        return false;
    *ret_wall_ns = wall_ns;
    return true;
}

static void join(const char *directory, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/" INCIDENTS_FOLDER "%s%s", directory, *name ? "/" : "", name);
}

int incidents__make(const char *directory, struct fault *fault)
{
    char path[PATH_MAX];
    join(directory, "", path);
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return fault__set(fault, -errno, "cannot make the directory '%s': %s", path, strerror(errno));
}

static uint64_t bytes_of(const char *directory, const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    join(directory, name, path);
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_blocks * 512 : 0;
}

static DIR *open_folder(const char *directory)
{
    char path[PATH_MAX];
    join(directory, "", path);
    return opendir(path);
}

uint64_t incidents__bytes(const char *directory)
{
    uint64_t bytes = 0;
    _cleanup_(cleanup__closedirp) DIR *folder = open_folder(directory);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        bytes += bytes_of(directory, entry->d_name);
    return bytes;
}

static bool find_oldest(const char *directory, uint64_t before_ns, char ret_name[INCIDENT_NAME_BYTES])
{
    uint64_t oldest_ns = before_ns, wall_ns;
    _cleanup_(cleanup__closedirp) DIR *folder = open_folder(directory);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!incident__parse(entry->d_name, &wall_ns) || wall_ns >= oldest_ns)
            continue;
        oldest_ns = wall_ns;
        snprintf(ret_name, INCIDENT_NAME_BYTES, "%.*s", INCIDENT_NAME_BYTES - 1, entry->d_name);
    }
    return oldest_ns < before_ns;
}

int incidents__remove_oldest(const char *directory, uint64_t before_ns, uint64_t *ret_bytes)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[INCIDENT_NAME_BYTES], file[INCIDENT_NAME_BYTES + 16], path[PATH_MAX];
    uint64_t bytes = 0;
    *ret_bytes = 0;
    if (!find_oldest(directory, before_ns, name))
        return 0;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(file, sizeof(file), "%s%s", name, suffixes[i]);
        bytes += bytes_of(directory, file);
        join(directory, file, path);
        if (unlink(path) != 0 && errno != ENOENT)
            return -errno;
    }
    *ret_bytes = bytes ? bytes : 1; // an empty file was one too
    return 0;
}
