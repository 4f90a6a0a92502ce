// A function called a known number of times for known durations, with a USDT pair around each call:
//
//   main > work > timed_call (SHORT times 1 ms, LONG times 16 ms, mixed), USDT hearth_test:begin(ns) and
//   hearth_test:end(ns)
//
// calls [THREADS, 1] [SHORT, 400] [LONG, 100] [RECURSION, 0] [FILE to wait for before the start]
// Each thread makes all the calls. With RECURSION a call calls itself so often before it takes its time, each of them
// inside the other. The time is wall time, spun, not slept. Prints the calls, as `truth bucket LOW COUNT` how many took
// LOW ns to twice that, and `truth p50 NS NS` and `truth p99 NS NS`, the calls half a percent below and above it, all
// measured inside: a busy machine lengthens some, by the program's clock or by a probe's alone.
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
static uint64_t by_power[64];
static uint64_t all_ns[1 << 20];
static unsigned all_count;

FRAME void timed_call(uint64_t ns, unsigned recursion)
{
    uint64_t start_ns = wall_ns();
    DTRACE_PROBE1(hearth_test, begin, ns);
    if (recursion)
        timed_call(ns, recursion - 1);
    while (wall_ns() - start_ns < ns)
        ;
    DTRACE_PROBE1(hearth_test, end, ns);
    uint64_t took_ns = wall_ns() - start_ns;
    all_ns[__atomic_fetch_add(&all_count, 1, __ATOMIC_RELAXED) % (1 << 20)] = took_ns;
    __atomic_fetch_add(&by_power[63 - __builtin_clzll(took_ns)], 1, __ATOMIC_RELAXED);
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
        timed_call(is_long ? 16 * NS_PER_MS : NS_PER_MS, recursion_depth);
    }
    return NULL;
}

// Sorted calls: those around the one that so many percent are not above.
static void tell_percentile(const char *key, unsigned percent)
{
    unsigned rank = (all_count * percent + 99) / 100 - 1, around = all_count / 200 + 1;
    unsigned low = rank > around ? rank - around : 0, high = rank + around < all_count ? rank + around : all_count - 1;
    printf("truth %s %llu %llu\n", key, (unsigned long long)all_ns[low], (unsigned long long)all_ns[high]);
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
    if (all_count && all_count <= 1 << 20) {
        qsort(all_ns, all_count, sizeof(all_ns[0]), compare);
        tell_percentile("p50", 50);
        tell_percentile("p99", 99);
    }
    for (unsigned power = 0; power < 64; power++)
        if (by_power[power])
            printf("truth bucket %llu %llu\n", 1ull << power, (unsigned long long)by_power[power]);
    return 0;
}
