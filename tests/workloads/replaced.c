// A binary that is replaced on disk while it runs, as an upgrade does: renames other bytes over its own file, prints
// `truth replaced PATH`, then burns its time in main > after_replacement. Run a copy of it.
//
// replaced [SECONDS of CPU time, 2]
#include <limits.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

FRAME static void after_replacement(uint64_t ns)
{
    BURN_UNTIL_CPU_NS(thread_cpu_ns() + ns);
}

static int replace(const char *path)
{
    char aside[PATH_MAX + 8];
    snprintf(aside, sizeof(aside), "%s.new", path);
    FILE *file = fopen(aside, "we");
    if (!file)
        return 1;
    fputs("#!/bin/sh\n# another program under the old name\nexit 0\n", file);
    return fclose(file) != 0 || rename(aside, path) != 0;
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0)
        return 1;
    path[length] = '\0';
    if (replace(path))
        return 1;
    printf("truth replaced %s\n", path);
    after_replacement((uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND));
    truth("after_replacement", thread_cpu_ns());
    return 0;
}
