// Requests that one thread begins and another one ends, with a USDT probe at each: hearth_test:request_begin(number,
// bytes) and hearth_test:request_end(number, status). STATUS is a 32-bit number, -1 for every fifth request.
//
// requests [COUNT, 200] [MS each takes, 2]. Some eight are under way at once. Prints the requests, their bytes, and how
// many failed.
#include <pthread.h>
#include <semaphore.h>
#include <sys/sdt.h>

#include "tests/workloads/workload.h"

enum { UNDER_WAY = 8 };

static unsigned count;
static uint64_t each_ns, begun_ns[UNDER_WAY];
static sem_t begun, ended;

FRAME static void *begin_requests(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < count; i++) {
        sem_wait(&ended);
        DTRACE_PROBE2(hearth_test, request_begin, (uint64_t)i + 1000, (uint64_t)i % 4096);
        begun_ns[i % UNDER_WAY] = wall_ns(); // after the probe: from it to the next one it is longer
        sem_post(&begun);
    }
    return NULL;
}

FRAME static void *end_requests(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < count; i++) {
        int status = i % 5 ? (int)i : -1;
        sem_wait(&begun);
        while (wall_ns() - begun_ns[i % UNDER_WAY] < each_ns)
            sleep_ns(each_ns / 10);
        DTRACE_PROBE2(hearth_test, request_end, (uint64_t)i + 1000, status);
        sem_post(&ended);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    uint64_t bytes = 0;
    count = (unsigned)argument(argc, argv, 1, 200);
    each_ns = (uint64_t)(argument(argc, argv, 2, 2) * NS_PER_MS);
    sem_init(&begun, 0, 0);
    sem_init(&ended, 0, UNDER_WAY);
    if (pthread_create(&threads[0], NULL, begin_requests, NULL) != 0 ||
        pthread_create(&threads[1], NULL, end_requests, NULL) != 0)
        return 1;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    for (unsigned i = 0; i < count; i++)
        bytes += i % 4096;
    truth("requests", count);
    truth("bytes", bytes);
    truth("failed", (count + 4) / 5);
    return 0;
}
