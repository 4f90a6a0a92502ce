// Three leaves with 60, 30 and 10 % of the CPU time, under a whole chain of calls with an inlined caller in it:
//
//   main > run > outer > middle > inlined_caller (inlined into middle) > leaf_sixty | leaf_thirty | leaf_ten
//
// leaves [SECONDS of CPU time, 3]. Prints what each leaf has really used.
#include "tests/workloads/workload.h"

static uint64_t used_ns[3];

// Spends its share of the time until the round's end; what the other leaves overdrew does not touch it.
#define LEAF(name, index)                                                                                              \
    FRAME static void name(uint64_t until_used_ns)                                                                     \
    {                                                                                                                  \
        uint64_t start_ns = thread_cpu_ns();                                                                           \
        if (until_used_ns > used_ns[index])                                                                            \
            BURN_UNTIL_CPU_NS(start_ns + until_used_ns - used_ns[index]);                                              \
        used_ns[index] += thread_cpu_ns() - start_ns;                                                                  \
    }
LEAF(leaf_sixty, 0)
LEAF(leaf_thirty, 1)
LEAF(leaf_ten, 2)

INLINED void inlined_caller(uint64_t spent_ns)
{
    leaf_sixty(spent_ns / 10 * 6);
    leaf_thirty(spent_ns / 10 * 3);
    leaf_ten(spent_ns / 10);
    NO_TAIL_CALL();
}

FRAME static void middle(uint64_t spent_ns)
{
    inlined_caller(spent_ns);
    NO_TAIL_CALL();
}

FRAME static void outer(uint64_t spent_ns)
{
    middle(spent_ns);
    NO_TAIL_CALL();
}

// Rounds of 5 to 15 ms, of changing length: a fixed one could keep step with the sampling clock.
FRAME static void run(uint64_t total_ns)
{
    uint64_t random = 88172645463325252ull;
    for (uint64_t spent_ns = 0; spent_ns < total_ns;) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        spent_ns += 5 * NS_PER_MS + random % (10 * NS_PER_MS);
        outer(spent_ns < total_ns ? spent_ns : total_ns);
    }
}

int main(int argc, char **argv)
{
    run((uint64_t)(argument(argc, argv, 1, 3) * NS_PER_SECOND));
    truth("leaf_sixty", used_ns[0]);
    truth("leaf_thirty", used_ns[1]);
    truth("leaf_ten", used_ns[2]);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
