// A function called a known number of times for known durations, with a USDT pair around each call:
//
//   main > work > timed_call (SHORT times 1 ms, LONG times 16 ms, mixed), USDT hearth_test:begin(ns) and
//   hearth_test:end(ns)
//
// calls [THREADS, 1] [SHORT, 400] [LONG, 100] [RECURSION, 0] [FILE to wait for before the start]
// Each thread makes all the calls. With RECURSION a call calls itself so often before it takes its time, each of them
// inside the other. The time is wall time, spun, not slept. Each call is measured three times, one inside the other:
// by its caller, in the function around both probes, and between them. A uprobe's time lies between the first two, that
// of the USDT pair between the last two, whoever interrupts the call and wherever. So do counts and ranks:
//
//   truth calls N
//   truth at_least NS CALLER FUNCTION PROBES     calls that took so long, or longer, for each power of two
//   truth p50 CALLER FUNCTION PROBES             ns; p99 alike
//
// calls_semaphore.c is the same with semaphores in front of the probes.
#include <pthread.h>
#include <sys/sdt.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

#ifdef _SDT_HAS_SEMAPHORES
#define SEMAPHORE(name) __extension__ volatile unsigned short name __attribute__((unused, section(".probes")))
SEMAPHORE(hearth_test_begin_semaphore);
SEMAPHORE(hearth_test_end_semaphore);
#endif

void timed_call(uint64_t ns, unsigned recursion);

static unsigned shorts, longs, recursion_depth;

enum { BY_CALLER, IN_FUNCTION, BETWEEN_PROBES, WAYS, CALLS_MAX = 1 << 20 };
static uint64_t all_ns[WAYS][CALLS_MAX];
static unsigned all_count[WAYS];

INLINED void note(unsigned way, uint64_t ns)
{
    all_ns[way][__atomic_fetch_add(&all_count[way], 1, __ATOMIC_RELAXED) % CALLS_MAX] = ns;
}

FRAME void timed_call(uint64_t ns, unsigned recursion)
{
    uint64_t start_ns = wall_ns();
    DTRACE_PROBE1(hearth_test, begin, ns);
    uint64_t begun_ns = wall_ns();
    if (recursion) {
        timed_call(ns, recursion - 1);
        note(BY_CALLER, wall_ns() - begun_ns);
    }
    while (wall_ns() - start_ns < ns)
        ;
    uint64_t ended_ns = wall_ns();
    DTRACE_PROBE1(hearth_test, end, ns);
    note(IN_FUNCTION, wall_ns() - start_ns);
    note(BETWEEN_PROBES, ended_ns - begun_ns);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

FRAME static void *work(void *unused)
{
    unsigned total = shorts + longs;
    (void)unused;
    for (unsigned i = 0, long_done = 0; i < total; i++) {
        int is_long = (uint64_t)(i + 1) * longs / total > long_done;
        long_done += (unsigned)is_long;
        uint64_t called_ns = wall_ns();
        timed_call(is_long ? 16 * NS_PER_MS : NS_PER_MS, recursion_depth);
        note(BY_CALLER, wall_ns() - called_ns);
    }
    return NULL;
}

static void tell(const char *key, const uint64_t values[WAYS])
{
    printf("truth %s", key);
    for (unsigned way = 0; way < WAYS; way++)
        printf(" %llu", (unsigned long long)values[way]);
    printf("\n");
}

static void tell_percentile(const char *key, unsigned percent)
{
    uint64_t values[WAYS];
    for (unsigned way = 0; way < WAYS; way++)
        values[way] = all_ns[way][(all_count[way] * percent + 99) / 100 - 1];
    tell(key, values);
}

static void tell_at_least(unsigned power)
{
    uint64_t counts[WAYS] = {0};
    char key[64];
    for (unsigned way = 0; way < WAYS; way++)
        for (unsigned i = 0; i < all_count[way]; i++)
            counts[way] += all_ns[way][i] >> power != 0;
    snprintf(key, sizeof(key), "at_least %llu", 1ull << power);
    tell(key, counts);
}

int main(int argc, char **argv)
{
    unsigned count = (unsigned)argument(argc, argv, 1, 1);
    pthread_t threads[64];
    if (count < 1 || count > 64)
        return 2;
    shorts = (unsigned)argument(argc, argv, 2, 400);
    longs = (unsigned)argument(argc, argv, 3, 100);
    recursion_depth = (unsigned)argument(argc, argv, 4, 0);
    while (argc > 5 && access(argv[5], F_OK) != 0)
        sleep_ns(10 * NS_PER_MS);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    truth("calls", (uint64_t)count * (shorts + longs) * (recursion_depth + 1));
    if (!all_count[BY_CALLER] || all_count[BY_CALLER] > CALLS_MAX)
        return 0;
    for (unsigned way = 0; way < WAYS; way++)
        qsort(all_ns[way], all_count[way], sizeof(all_ns[way][0]), compare);
    tell_percentile("p50", 50);
    tell_percentile("p99", 99);
    for (unsigned power = 10; power < 40; power++)
        tell_at_least(power);
    return 0;
}
