// Stacks that look alike: eight ways to the same sleep, with the stack pointer at the same place, and on each way
// frames of two sizes whose sum is the same. Only the return addresses between tell one way from another.
//
//   main > nap_in_turns > outer_A|B > middle_A|B > inner_A|B > nap > clock_nanosleep
//
// And kernel stacks behind one and the same call: reads of a timer, and of a pipe that another thread fills.
//
//   main > read_in_turns > read > timerfd_read, or pipe_read
//
// alike [ROUNDS, 40]. The way of number N is taken (N + 1) * ROUNDS times, in an order that jumps between ways and
// stays for up to three naps; the timer is read 3 * ROUNDS times, the pipe 5 * ROUNDS times, up to thirty in a row.
// Prints `truth WAY NAPS WAITS` for each way, as outer_A;middle_B;inner_A, and `truth timerfd_read READS WAITS`,
// `truth pipe_read READS WAITS`. WAITS are those in which the thread left the CPU, by the kernel's own count: on a busy
// machine some timers are faster than the way to them.
#include <alloca.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

#define WAYS 8

static unsigned waits[WAYS], timer_waits, pipe_waits;

// How often this thread has left the CPU of its own will.
static unsigned long times_left(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        exit(1);
    return (unsigned long)usage.ru_nvcsw;
}

FRAME static void nap(void)
{
    sleep_ns(20000);
    NO_TAIL_CALL();
}

// Frames of variable size: their callers are found by rbp also where nothing else needs frame pointers.
#define USE_STACK(bytes)                                                                                               \
    do {                                                                                                               \
        char *used_ = alloca(bytes);                                                                                   \
        __asm__ volatile("" ::"r"(used_) : "memory");                                                                  \
    } while (0)

#define INNER(name)                                                                                                    \
    FRAME static void name(unsigned way, unsigned bytes)                                                               \
    {                                                                                                                  \
        (void)way;                                                                                                     \
        USE_STACK(1024 - bytes);                                                                                       \
        nap();                                                                                                         \
        NO_TAIL_CALL();                                                                                                \
    }
INNER(inner_A)
INNER(inner_B)

// Written alike, so that they are compiled alike, but for where they are.
#define BETWEEN(name, next, bit)                                                                                       \
    FRAME static void name(unsigned way, unsigned bytes)                                                               \
    {                                                                                                                  \
        if (way & (bit))                                                                                               \
            next##_B(way, bytes);                                                                                      \
        else                                                                                                           \
            next##_A(way, bytes);                                                                                      \
        NO_TAIL_CALL();                                                                                                \
    }
BETWEEN(middle_A, inner, 1)
BETWEEN(middle_B, inner, 1)

#define OUTER(name)                                                                                                    \
    FRAME static void name(unsigned way, unsigned bytes)                                                               \
    {                                                                                                                  \
        USE_STACK(bytes);                                                                                              \
        if (way & 2)                                                                                                   \
            middle_B(way, bytes);                                                                                      \
        else                                                                                                           \
            middle_A(way, bytes);                                                                                      \
        NO_TAIL_CALL();                                                                                                \
    }
OUTER(outer_A)
OUTER(outer_B)

static uint64_t next_random(void)
{
    static uint64_t random = 88172645463325252; // xorshift (Marsaglia 2003)
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
}

FRAME static void nap_in_turns(unsigned rounds)
{
    unsigned left[WAYS], all = 0;
    for (unsigned way = 0; way < WAYS; way++)
        all += left[way] = (way + 1) * rounds;
    while (all) {
        uint64_t random = next_random();
        unsigned way = random >> 20 & (WAYS - 1), naps = 1 + (random >> 40) % 3;
        for (unsigned i = 0; i < naps && left[way]; i++, left[way]--, all--) {
            unsigned bytes = random >> 50 & 1 ? 256 : 512;
            unsigned long before = times_left();
            if (way & 4)
                outer_B(way, bytes);
            else
                outer_A(way, bytes);
            waits[way] += times_left() != before;
        }
    }
}

static int asked[2], filled[2];

static void *fill_pipe(void *unused)
{
    uint64_t token;
    (void)unused;
    while (read(asked[0], &token, sizeof(token)) == sizeof(token)) {
        sleep_ns(20000);
        if (write(filled[1], &token, sizeof(token)) != sizeof(token))
            exit(1);
    }
    return NULL;
}

FRAME static void read_in_turns(unsigned rounds)
{
    const struct itimerspec soon = {.it_value.tv_nsec = 20000};
    unsigned left[2] = {3 * rounds, 5 * rounds};
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t token = 1;
    pthread_t filler;
    if (timer < 0 || pipe(asked) != 0 || pipe(filled) != 0 || pthread_create(&filler, NULL, fill_pipe, NULL) != 0)
        exit(1);
    while (left[0] + left[1]) {
        uint64_t random = next_random();
        unsigned kind = random >> 20 & 1, reads = 1 + (random >> 40) % 30;
        for (unsigned i = 0; i < reads && left[kind]; i++, left[kind]--) {
            int err =
                kind ? write(asked[1], &token, sizeof(token)) != sizeof(token) : timerfd_settime(timer, 0, &soon, NULL);
            unsigned long before = times_left();
            if (err || read(kind ? filled[0] : timer, &token, sizeof(token)) != sizeof(token))
                exit(1);
            *(kind ? &pipe_waits : &timer_waits) += times_left() != before;
        }
    }
    close(asked[1]);
    pthread_join(filler, NULL);
}

int main(int argc, char **argv)
{
    unsigned rounds = (unsigned)argument(argc, argv, 1, 40);
    nap_in_turns(rounds);
    read_in_turns(rounds);
    for (unsigned way = 0; way < WAYS; way++)
        printf("truth outer_%c;middle_%c;inner_%c %u %u\n", way & 4 ? 'B' : 'A', way & 2 ? 'B' : 'A',
               way & 1 ? 'B' : 'A', (way + 1) * rounds, waits[way]);
    printf("truth timerfd_read %u %u\n", 3 * rounds, timer_waits);
    printf("truth pipe_read %u %u\n", 5 * rounds, pipe_waits);
    return 0;
}
