// Functions that take and return numbers of either sign and of any size: values [CALLS, 100] [WAIT, 0]
//
//   ten       ten arguments: 100, 101, ... 109, each with its sign turned in every other call
//   as_int    returns -1 in every other call, else 5: an int, whose register may hold anything above 32 bits
//   as_long   returns -11 in every other call, else 100
//   huge      returns 2^63 in every other call, else 10 * 2^30
//   noted     a USDT probe hearth_test:noted(int, unsigned char) with -7 and 200 in every other call, else 3 and 1
//   pausing   with WAIT: goes to sleep for so many seconds, after all calls
#include <sys/sdt.h>

#include "tests/workloads/workload.h"

long ten(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j);
int as_int(unsigned call);
long as_long(unsigned call);
unsigned long huge(unsigned call);
void noted(int number, unsigned char byte);
void pausing(uint64_t ns);

FRAME long ten(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j)
{
    NO_TAIL_CALL();
    return a + b + c + d + e + f + g + h + i + j;
}

FRAME int as_int(unsigned call)
{
    NO_TAIL_CALL();
    return call % 2 ? -1 : 5;
}

FRAME long as_long(unsigned call)
{
    NO_TAIL_CALL();
    return call % 2 ? -11 : 100;
}

FRAME unsigned long huge(unsigned call)
{
    NO_TAIL_CALL();
    return call % 2 ? 10ul << 30 : 1ul << 63;
}

FRAME void noted(int number, unsigned char byte)
{
    DTRACE_PROBE2(hearth_test, noted, number, byte);
}

FRAME void pausing(uint64_t ns)
{
    DTRACE_PROBE1(hearth_test, pause_begin, ns);
    sleep_ns(ns);
    DTRACE_PROBE1(hearth_test, pause_end, ns);
}

int main(int argc, char **argv)
{
    unsigned calls = (unsigned)argument(argc, argv, 1, 100);
    double wait_s = argument(argc, argv, 2, 0);
    long sum = 0;
    for (unsigned i = 0; i < calls; i++) {
        long s = i % 2 ? -1 : 1;
        sum += ten(s * 100, s * 101, s * 102, s * 103, s * 104, s * 105, s * 106, s * 107, s * 108, s * 109);
        sum += as_int(i) + as_long(i);
        sum += (long)(huge(i) & 1);
        noted(i % 2 ? -7 : 3, i % 2 ? 200 : 1);
        pausing(0);
    }
    truth("calls", calls);
    truth("sum", (uint64_t)sum);
    if (wait_s > 0)
        pausing((uint64_t)(wait_s * 1e9));
    return 0;
}
