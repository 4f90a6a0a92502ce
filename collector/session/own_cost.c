#include "collector/session/own_cost.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/base/cleanup.h"

static uint64_t to_ns(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

// CPU time of a process by /proc/PID/stat; with_ended: and of its children that it has waited for.
static uint64_t process_cpu_ns(pid_t pid, bool with_ended)
{
    char path[64], line[1024];
    unsigned long long ticks[4];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    _cleanup_file_ FILE *file = fopen(path, "re");
    char *end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &ticks[0],
                       &ticks[1], &ticks[2], &ticks[3]) != 4)
        return 0;
    unsigned long long sum = ticks[0] + ticks[1] + (with_ended ? ticks[2] + ticks[3] : 0);
    return sum * (1000000000u / (unsigned long long)sysconf(_SC_CLK_TCK));
}

// Memory of a child by /proc/PID/smaps_rollup (4.14; Pss_Anon: 5.8): its part of what it shares with the process that
// forked it is counted once.
static uint64_t process_own_bytes(pid_t pid)
{
    char path[64], line[128];
    uint64_t kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    _cleanup_file_ FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Pss_Anon: %" SCNu64, &kib) == 1)
            break;
    return kib * 1024;
}

static FILE *open_children(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    return fopen(path, "re");
}

static void add_process(pid_t pid, bool with_ended, struct own_cost *cost)
{
    cost->cpu_ns += process_cpu_ns(pid, with_ended);
    cost->rss_bytes += process_own_bytes(pid);
}

// The keeper of workers, the process for upkeep, the starter; and the workers. None of hearth's processes is further
// down.
static void add_children(struct own_cost_others others, struct own_cost *cost)
{
    int child, grandchild;
    _cleanup_file_ FILE *children = open_children(getpid());
    while (children && fscanf(children, "%d", &child) == 1) {
        if (child == others.command)
            continue;
        add_process(child, child != others.starter, cost);
        _cleanup_file_ FILE *grandchildren = child != others.starter ? open_children(child) : NULL;
        while (grandchildren && fscanf(grandchildren, "%d", &grandchild) == 1)
            add_process(grandchild, true, cost);
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

void own_cost__read(struct bpf_meter *meter, struct own_cost_others others, struct own_cost *ret_cost)
{
    struct rusage self;
    getrusage(RUSAGE_SELF, &self);
    *ret_cost = (struct own_cost){
        .cpu_ns = to_ns(&self.ru_utime) + to_ns(&self.ru_stime) + ended_cpu_ns(others.command),
        .bpf_ns = meter ? bpf_meter__ns(meter) : 0,
        .rss_bytes = resident_bytes(),
        .peak_rss_bytes = (uint64_t)self.ru_maxrss * 1024,
        .written_bytes = own_cost__written_bytes(),
    };
    add_children(others, ret_cost);
}
