// A storm of processes that live for some 5 ms each: exec of this same program, which then burns its time in
// main > short_life > short_leaf and exits.
//
// storm [SECONDS of wall time, 3] [MS of CPU time each, 5]. Prints how many there were and the CPU time of
// all of them, the parent included.
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

extern char **environ;

FRAME static void short_leaf(uint64_t ns)
{
    BURN_UNTIL_CPU_NS(thread_cpu_ns() + ns);
}

FRAME static void short_life(uint64_t ns)
{
    short_leaf(ns);
    NO_TAIL_CALL();
}

static int spawn_one(const char *path, char *ms)
{
    char *arguments[] = {(char *)"storm", (char *)"child", ms, NULL};
    pid_t pid;
    int status;
    if (posix_spawn(&pid, path, NULL, NULL, arguments, environ) != 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static uint64_t used_ns(int who)
{
    struct rusage used;
    getrusage(who, &used);
    return ((uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
            (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec)) *
           1000;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "child") == 0) {
        short_life((uint64_t)(argument(argc, argv, 2, 5) * NS_PER_MS));
        return 0;
    }
    char path[PATH_MAX], *ms = argc > 2 ? argv[2] : (char *)"5";
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0)
        return 1;
    path[length] = '\0';
    uint64_t end_ns = wall_ns() + (uint64_t)(argument(argc, argv, 1, 3) * NS_PER_SECOND), count = 0;
    for (; wall_ns() < end_ns; count++)
        if (spawn_one(path, ms))
            return 1;
    truth("processes", count);
    truth("cpu_ns", used_ns(RUSAGE_SELF) + used_ns(RUSAGE_CHILDREN));
    return 0;
}
