#include "store/system/live_thread.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// ENOENT: no memory map. Where we may not look (EACCES), there is one.
static bool has_memory(const char *exe)
{
    char target[1];
    return readlink(exe, target, sizeof(target)) >= 0 || errno != ENOENT;
}

pid_t live_thread__of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    if (has_memory(path))
        return pid;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    pid_t found = pid;
    for (struct dirent *entry; threads && found == pid && (entry = readdir(threads));) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        snprintf(path, sizeof(path), "/proc/%d/exe", tid);
        if (tid > 0 && tid != pid && has_memory(path))
            found = tid;
    }
    if (threads)
        closedir(threads);
    return found;
}
