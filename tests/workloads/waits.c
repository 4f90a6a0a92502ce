// Threads that wait for known times, each by a name of its own:
//
//   sleeper   sleep_in_turns > clock_nanosleep     ROUNDS times 10 ms
//   holder    hold_lock > clock_nanosleep          ROUNDS times 20 ms, with the lock held
//   waiter    wait_for_lock > pthread_mutex_lock   for the holder's lock, ROUNDS times just under 20 ms
//   spinner   spin                                 on the CPU all the time, until the others are done
//
// waits [ROUNDS, 50]. Prints per thread
//
//   truth thread NAME TID WALL_NS CPU_NS WAITED_NS LIFE_NS OFF_NS
//
// WALL_NS and CPU_NS are of its work; WAITED_NS is the wall time measured around its waiting calls (of the waiter,
// around pthread_mutex_lock alone); LIFE_NS is measured by main(), from before its creation until after its join. Its
// off-CPU time lies between OFF_NS, that of its work, and LIFE_NS - CPU_NS, whatever else runs.
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t locked, released;
static unsigned rounds;
static atomic_int others_done;

FRAME static uint64_t sleep_in_turns(void)
{
    uint64_t waited_ns = 0;
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t start_ns = wall_ns();
        sleep_ns(10 * NS_PER_MS);
        waited_ns += wall_ns() - start_ns;
    }
    return waited_ns;
}

FRAME static uint64_t hold_lock(void)
{
    uint64_t waited_ns = 0;
    for (unsigned i = 0; i < rounds; i++) {
        pthread_mutex_lock(&lock);
        sem_post(&locked);
        uint64_t start_ns = wall_ns();
        sleep_ns(20 * NS_PER_MS);
        waited_ns += wall_ns() - start_ns;
        pthread_mutex_unlock(&lock);
        start_ns = wall_ns();
        sem_wait(&released);
        waited_ns += wall_ns() - start_ns;
    }
    return waited_ns;
}

FRAME static uint64_t wait_for_lock(void)
{
    uint64_t waited_ns = 0;
    for (unsigned i = 0; i < rounds; i++) {
        sem_wait(&locked);
        uint64_t start_ns = wall_ns();
        pthread_mutex_lock(&lock);
        waited_ns += wall_ns() - start_ns;
        pthread_mutex_unlock(&lock);
        sem_post(&released);
    }
    return waited_ns;
}

FRAME static uint64_t spin(void)
{
    while (!others_done)
        BURN();
    return 0;
}

static struct role {
    const char *name;
    uint64_t (*work)(void);
    pthread_t thread;
    pid_t tid;
    uint64_t wall_ns, cpu_ns, waited_ns, created_ns, life_ns, off_ns;
} roles[] = {
    {.name = "sleeper", .work = sleep_in_turns},
    {.name = "holder", .work = hold_lock},
    {.name = "waiter", .work = wait_for_lock},
    {.name = "spinner", .work = spin},
};

static void *thread_main(void *argument)
{
    struct role *role = argument;
    pthread_setname_np(pthread_self(), role->name);
    role->tid = (pid_t)syscall(SYS_gettid);
    uint64_t cpu_start_ns = thread_cpu_ns(), start_ns = wall_ns();
    role->waited_ns = role->work();
    role->wall_ns = wall_ns() - start_ns;
    role->cpu_ns = thread_cpu_ns();
    role->off_ns = role->wall_ns - (role->cpu_ns - cpu_start_ns);
    return NULL;
}

int main(int argc, char **argv)
{
    const unsigned count = sizeof(roles) / sizeof(roles[0]);
    rounds = (unsigned)argument(argc, argv, 1, 50);
    sem_init(&locked, 0, 0);
    sem_init(&released, 0, 0);
    for (unsigned i = 0; i < count; i++) {
        roles[i].created_ns = wall_ns();
        if (pthread_create(&roles[i].thread, NULL, thread_main, &roles[i]) != 0)
            return 1;
    }
    for (unsigned i = 0; i < count; i++) {
        others_done = i == count - 1;
        pthread_join(roles[i].thread, NULL);
        roles[i].life_ns = wall_ns() - roles[i].created_ns;
    }
    for (const struct role *role = roles; role < roles + count; role++)
        printf("truth thread %s %d %llu %llu %llu %llu %llu\n", role->name, role->tid,
               (unsigned long long)role->wall_ns, (unsigned long long)role->cpu_ns, (unsigned long long)role->waited_ns,
               (unsigned long long)role->life_ns, (unsigned long long)role->off_ns);
    return 0;
}
