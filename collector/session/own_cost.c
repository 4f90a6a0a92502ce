#include "collector/session/own_cost.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/base/cleanup.h"

static uint64_t to_ns(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

// CPU time of a process and of its children that it has waited for, by /proc/PID/stat.
static uint64_t process_cpu_ns(int pid)
{
    char path[64], line[1024];
    unsigned long long ticks[4];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    _cleanup_file_ FILE *file = fopen(path, "re");
    char *end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &ticks[0],
                       &ticks[1], &ticks[2], &ticks[3]) != 4)
        return 0;
    return (ticks[0] + ticks[1] + ticks[2] + ticks[3]) * (1000000000u / (unsigned long long)sysconf(_SC_CLK_TCK));
}

// Memory that a child shares with nobody but, until it writes there, this process: by /proc/PID/statm.
static uint64_t process_own_bytes(int pid)
{
    char path[64];
    unsigned long resident, shared;
    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    _cleanup_file_ FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%*u %lu %lu", &resident, &shared) != 2 || resident < shared)
        return 0;
    return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

// Workers, the process for upkeep: all children but the command.
static void add_children(pid_t command, struct own_cost *cost)
{
    char path[64];
    int pid;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    _cleanup_file_ FILE *file = fopen(path, "re");
    while (file && fscanf(file, "%d", &pid) == 1) {
        if (pid == command)
            continue;
        cost->cpu_ns += process_cpu_ns(pid);
        cost->rss_bytes += process_own_bytes(pid);
    }
}

static uint64_t resident_bytes(void)
{
    unsigned long resident;
    _cleanup_file_ FILE *file = fopen("/proc/self/statm", "re");
    return file && fscanf(file, "%*u %lu", &resident) == 1 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t own_cost__written_bytes(void)
{
    char line[128];
    uint64_t bytes = 0;
    _cleanup_file_ FILE *file = fopen("/proc/thread-self/io", "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "wchar: %" SCNu64, &bytes) == 1)
            break;
    return bytes;
}

// Of children that have ended; of a command too, which cannot be told apart from them.
static uint64_t ended_cpu_ns(pid_t command)
{
    struct rusage ended;
    if (command || getrusage(RUSAGE_CHILDREN, &ended) != 0)
        return 0;
    return to_ns(&ended.ru_utime) + to_ns(&ended.ru_stime);
}

void own_cost__read(struct bpf_meter *meter, pid_t command, struct own_cost *ret_cost)
{
    struct rusage self;
    getrusage(RUSAGE_SELF, &self);
    *ret_cost = (struct own_cost){
        .cpu_ns = to_ns(&self.ru_utime) + to_ns(&self.ru_stime) + ended_cpu_ns(command),
        .bpf_ns = meter ? bpf_meter__ns(meter) : 0,
        .rss_bytes = resident_bytes(),
        .peak_rss_bytes = (uint64_t)self.ru_maxrss * 1024,
        .written_bytes = own_cost__written_bytes(),
    };
    add_children(command, ret_cost);
}
