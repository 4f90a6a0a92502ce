// A chain of N different functions (up to 120), each a frame, that burns CPU time at its end: chain N SECONDS.
#include "tests/workloads/workload.h"

static unsigned depth;
static uint64_t ns;

FRAME static void bottom(void)
{
    BURN_UNTIL_CPU_NS(thread_cpu_ns() + ns);
}

// Locals make the frames differ in size, as frames do.
#define LINK(n, next, size)                                                                                            \
    FRAME static void f##n(unsigned at)                                                                                \
    {                                                                                                                  \
        volatile char room[size] = {0};                                                                                \
        if (at == depth)                                                                                               \
            bottom();                                                                                                  \
        else                                                                                                           \
            next(at + 1 + (unsigned)room[1]);                                                                          \
        NO_TAIL_CALL();                                                                                                \
    }

FRAME static void f120(unsigned at)
{
    (void)at;
    bottom();
    NO_TAIL_CALL();
}
#define TEN(d, next)                                                                                                   \
    LINK(d##9, next, 24)                                                                                               \
    LINK(d##8, f##d##9, 40)                                                                                            \
    LINK(d##7, f##d##8, 8)                                                                                             \
    LINK(d##6, f##d##7, 72)                                                                                            \
    LINK(d##5, f##d##6, 16)                                                                                            \
    LINK(d##4, f##d##5, 120)                                                                                           \
    LINK(d##3, f##d##4, 32)                                                                                            \
    LINK(d##2, f##d##3, 8)                                                                                             \
    LINK(d##1, f##d##2, 56)                                                                                            \
    LINK(d##0, f##d##1, 24)
TEN(11, f120)
TEN(10, f110)
TEN(9, f100)
TEN(8, f90)
TEN(7, f80)
TEN(6, f70)
TEN(5, f60)
TEN(4, f50)
TEN(3, f40)
TEN(2, f30)
TEN(1, f20)
TEN(, f10)

int main(int argc, char **argv)
{
    depth = (unsigned)argument(argc, argv, 1, 100);
    ns = (uint64_t)(argument(argc, argv, 2, 2) * NS_PER_SECOND);
    f0(1);
    truth("depth", depth);
    return 0;
}
