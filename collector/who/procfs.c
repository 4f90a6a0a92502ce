#include "collector/who/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/who/mappings.h"
#include "store/base/live_thread.h"

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
    return 0;
}

// "START-END PERMS OFFSET MAJ:MIN INODE   PATH": one line of maps.
static void add_line(const char *line, struct binaries *binaries, struct mappings *mappings)
{
    unsigned long long start, end, offset, inode;
    unsigned major, minor;
    char permissions[8];
    int path_at = 0;
    if (sscanf(line, "%llx-%llx %7s %llx %x:%x %llu %n", &start, &end, permissions, &offset, &major, &minor, &inode,
               &path_at) < 7 ||
        permissions[2] != 'x' || strncmp(line + path_at, "[vsyscall]", 10) == 0)
        return;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", line[path_at] ? line + path_at : "//anon");
    size_t length = strlen(path);
    static const char deleted[] = " (deleted)";
    if (length > sizeof(deleted) && strcmp(path + length - (sizeof(deleted) - 1), deleted) == 0)
        path[length - (sizeof(deleted) - 1)] = '\0';
    struct binary_identity identity = {.path = path, .file = {.inode = inode, .device = (__u32)(major << 20 | minor)}};
    struct mapping mapping = {.start = start, .end = end, .file_offset = offset};
    if (binaries__get(binaries, &identity, &mapping.binary) == 0)
        mappings__add(mappings, &mapping);
}

void procfs__read_mappings(uint32_t tgid, struct binaries *binaries, struct mappings *mappings)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/maps", live_thread__of((pid_t)tgid));
    _cleanup_file_ FILE *file = fopen(path, "re");
    _cleanup_free_ char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while (file && (length = getline(&line, &capacity, file)) > 0) {
        line[length - 1] = '\0';
        add_line(line, binaries, mappings);
    }
}
