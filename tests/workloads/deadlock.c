// A program that hangs: two threads wait for each other's lock for ever, and main for both.
//
//   first     take_first_then_second > pthread_mutex_lock
//   second    take_second_then_first > pthread_mutex_lock
//   deadlock  main > join_both > pthread_join
//
// A thread has its name when all that is left for it is to wait. Ends when it is killed.
#include <pthread.h>
#include <sys/prctl.h>

#include "tests/workloads/workload.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_hold;

static void hold(pthread_mutex_t *lock, const char *name)
{
    pthread_mutex_lock(lock);
    pthread_barrier_wait(&both_hold);
    prctl(PR_SET_NAME, name);
}

FRAME static void take_first_then_second(void)
{
    hold(&first, "first");
    pthread_mutex_lock(&second);
    NO_TAIL_CALL();
}

FRAME static void take_second_then_first(void)
{
    hold(&second, "second");
    pthread_mutex_lock(&first);
    NO_TAIL_CALL();
}

static void *thread_main(void *takes)
{
    (*(void (**)(void))takes)();
    return NULL;
}

FRAME static void join_both(pthread_t a, pthread_t b)
{
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    NO_TAIL_CALL();
}

int main(void)
{
    static void (*takes[2])(void) = {take_first_then_second, take_second_then_first};
    pthread_t threads[2];
    pthread_barrier_init(&both_hold, NULL, 2);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, thread_main, &takes[i]) != 0)
            return 1;
    join_both(threads[0], threads[1]);
    return 0;
}
