// Helpers of the workloads: clocks, CPU time to burn, and the truth they print.
//
// A workload is one program with a known answer. A workload prints on stdout, at its end, lines that a shell test
// reads:
//
//   truth KEY VALUE...          e.g. `truth leaf_sixty 1801223344`
//
// Times are ns of CPU time of the thread unless the key says otherwise; they are measured inside, so that the truth
// stays exact on a busy machine. Each is built twice: fp/NAME with frame pointers, nofp/NAME without.
#ifndef HEARTH_TESTS_WORKLOADS_WORKLOAD_H
#define HEARTH_TESTS_WORKLOADS_WORKLOAD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// A function that must be seen as a frame of its own.
#ifdef __clang__
#define FRAME __attribute__((noinline))
#else
#define FRAME __attribute__((noinline, noipa))
#endif
#define INLINED static inline __attribute__((always_inline))

// Ends a function that has called another, so that the call is no jump.
#define NO_TAIL_CALL() __asm__ volatile("")

// Some 20 us of arithmetic on any machine of the last ten years, in the function that says it: a macro, so that no
// inlined frame stands between the function and its time.
#define BURN()                                                                                                         \
    do {                                                                                                               \
        for (unsigned burn_ = 0; burn_ < 40000; burn_++)                                                               \
            __asm__ volatile("" ::"r"(burn_));                                                                         \
    } while (0)

#define BURN_UNTIL_CPU_NS(end)                                                                                         \
    do {                                                                                                               \
        uint64_t end_ns_ = (end);                                                                                      \
        while (thread_cpu_ns() < end_ns_)                                                                              \
            BURN();                                                                                                    \
    } while (0)

#define NS_PER_SECOND 1000000000ull
#define NS_PER_MS     1000000ull

INLINED uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

// Goes on over execve(): behind another program in the same process it is not 0 when main() begins.
INLINED uint64_t thread_cpu_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

INLINED uint64_t wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

INLINED void sleep_ns(uint64_t ns)
{
    struct timespec left = {(time_t)(ns / NS_PER_SECOND), (long)(ns % NS_PER_SECOND)};
    while (nanosleep(&left, &left) != 0)
        ;
}

// The argument at `index`, a number that may have a fraction, or what stands for it when it is not given.
INLINED double argument(int argc, char **argv, int index, double otherwise)
{
    return argc > index ? strtod(argv[index], NULL) : otherwise;
}

INLINED void truth(const char *key, uint64_t value)
{
    printf("truth %s %llu\n", key, (unsigned long long)value);
    fflush(stdout);
}

#endif
