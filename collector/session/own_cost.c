#include "collector/session/own_cost.h"

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

// The workers are this process's children, all but the command.
static uint64_t workers_cpu_ns(pid_t command)
{
    char path[64];
    int pid;
    uint64_t sum = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    _cleanup_file_ FILE *file = fopen(path, "re");
    while (file && fscanf(file, "%d", &pid) == 1)
        if (pid != command)
            sum += process_cpu_ns(pid);
    return sum;
}

void own_cost__read(struct bpf_meter *meter, pid_t command, struct own_cost *ret_cost)
{
    struct rusage self;
    unsigned long size, resident = 0;
    getrusage(RUSAGE_SELF, &self);
    *ret_cost = (struct own_cost){
        .cpu_ns = to_ns(&self.ru_utime) + to_ns(&self.ru_stime) + workers_cpu_ns(command),
        .bpf_ns = bpf_meter__ns(meter),
        .peak_rss_bytes = (uint64_t)self.ru_maxrss * 1024,
    };
    _cleanup_file_ FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%lu %lu", &size, &resident) == 2)
        ret_cost->rss_bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
