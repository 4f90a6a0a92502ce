// A thread that leaves its process, which goes on:
//
//   leaving leader SECONDS         the leader leaves by pthread_exit() at once; another thread burns CPU time in
//                                  work > hot_middle > hot_leaf
//   leaving thread SECONDS FILE    the leader burns; a thread named "leaver" does until FILE is there
//
// SECONDS of CPU time.
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

FRAME void hot_leaf(void)
{
    BURN();
}

FRAME void hot_middle(void)
{
    hot_leaf();
    NO_TAIL_CALL();
}

FRAME static void *work(void *seconds)
{
    uint64_t end_ns = thread_cpu_ns() + (uint64_t)(*(double *)seconds * (double)NS_PER_SECOND);
    while (thread_cpu_ns() < end_ns)
        hot_middle();
    exit(0);
    return NULL;
}

static void *leave(void *file)
{
    prctl(PR_SET_NAME, "leaver");
    while (access(file, F_OK) != 0)
        BURN();
    return NULL;
}

int main(int argc, char **argv)
{
    static double seconds;
    pthread_t thread;
    seconds = argument(argc, argv, 2, 1);
    if (argc > 3 && strcmp(argv[1], "thread") == 0) {
        pthread_create(&thread, NULL, leave, argv[3]);
        work(&seconds);
    }
    pthread_create(&thread, NULL, work, &seconds);
    pthread_exit(NULL);
}
