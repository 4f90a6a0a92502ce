// Frames of unusual shape: of a size known only at run time, aligned to more than the ABI says, and the stubs that
// calls of other libraries go through:
//
//   main > turns > with_alloca > leaf | realigned > leaf | through_stubs > (stub) > toupper
//
// odd_frames [SECONDS of CPU time, 2]
#include <alloca.h>
#include <ctype.h>

#include "tests/workloads/workload.h"

static uint64_t used_ns[3];

FRAME static void leaf(volatile char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)i;
    BURN();
}

FRAME static void with_alloca(size_t count)
{
    leaf(alloca(count), count);
    NO_TAIL_CALL();
}

// Aligned, and of unknown size: the compiler can reach its caller's frame neither from rsp nor at a fixed distance from
// rbp, and says so with an expression.
FRAME static void realigned(size_t count)
{
    _Alignas(128) char bytes[256];
    char *more = alloca(count);
    leaf(bytes, sizeof(bytes));
    leaf(more, count);
    NO_TAIL_CALL();
}

FRAME static int through_stubs(void)
{
    int sum = 0;
    for (int i = 0; i < 20000; i++)
        sum += toupper(i & 127);
    return sum;
}

FRAME static void turns(uint64_t end_ns)
{
    for (size_t turn = 0; thread_cpu_ns() < end_ns; turn++) {
        uint64_t start_ns = thread_cpu_ns();
        with_alloca(64 + turn % 1000);
        uint64_t alloca_ns = thread_cpu_ns();
        realigned(64 + turn % 1000);
        uint64_t realigned_ns = thread_cpu_ns();
        through_stubs();
        used_ns[0] += alloca_ns - start_ns;
        used_ns[1] += realigned_ns - alloca_ns;
        used_ns[2] += thread_cpu_ns() - realigned_ns;
    }
}

int main(int argc, char **argv)
{
    turns((uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND));
    truth("with_alloca", used_ns[0]);
    truth("realigned", used_ns[1]);
    truth("through_stubs", used_ns[2]);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
