#include "collector/who/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/who/mappings.h"
#include "store/system/live_thread.h"
#include "store/system/proc_maps.h"

// All but the exe.
static int read_stat(uint32_t tid, struct procfs_process *ret_process)
{
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%u/stat", tid);
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
    if (length <= 0)
        return -ESRCH;
    line[length] = '\0';
    // "PID (COMM) STATE PPID ... STARTTIME": the comm may hold anything, so the last ')' ends it.
    char *open_bracket = strchr(line, '('), *close_bracket = strrchr(line, ')');
    unsigned long long start_ticks;
    unsigned parent;
    if (!open_bracket || !close_bracket ||
        sscanf(close_bracket + 1, " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &parent, &start_ticks) != 2)
        return -ESRCH;
    *close_bracket = '\0';
    memset(ret_process, 0, sizeof(*ret_process));
    ret_process->parent = parent;
    ret_process->start_boot_ns = start_ticks * (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK));
    snprintf(ret_process->comm, sizeof(ret_process->comm), "%s", open_bracket + 1);
    return 0;
}

int procfs__start(uint32_t tid, uint64_t *ret_start_boot_ns)
{
    struct procfs_process seen;
    int err = read_stat(tid, &seen);
    if (!err)
        *ret_start_boot_ns = seen.start_boot_ns;
    return err;
}

int procfs__read(uint32_t tgid, struct procfs_process *ret_process)
{
    char path[64];
    int err = read_stat(tgid, ret_process);
    if (err)
        return err;
    snprintf(path, sizeof(path), "/proc/%d/exe", live_thread__of((pid_t)tgid));
    ssize_t length = readlink(path, ret_process->exe, sizeof(ret_process->exe) - 1);
    ret_process->exe[length > 0 ? length : 0] = '\0';
    proc_maps__cut_deleted(ret_process->exe);
    return 0;
}

struct reading {
    struct binaries *binaries;
    struct mappings *mappings;
};

static int add_mapping(const struct proc_mapping *line, void *context)
{
    const struct reading *reading = context;
    if (!line->is_executable || strncmp(line->path, "[vsyscall]", 10) == 0)
        return 0;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", line->path[0] ? line->path : "//anon");
    proc_maps__cut_deleted(path);
    struct binary_identity identity = {.path = path, .file = {.inode = line->inode, .device = line->device}};
    struct mapping mapping = {.start = line->start, .end = line->end, .file_offset = line->file_offset};
    if (binaries__get(reading->binaries, &identity, &mapping.binary) == 0)
        mappings__add(reading->mappings, &mapping);
    return 0;
}

void procfs__read_mappings(uint32_t tgid, struct binaries *binaries, struct mappings *mappings)
{
    struct reading reading = {.binaries = binaries, .mappings = mappings};
    (void)proc_maps__each((pid_t)tgid, add_mapping, &reading); // a process that has ended maps nothing
}
