// A function that does not always return: every tenth call of leaf() is left by longjmp, over one more call of it.
//
//   main > turn > leaf > leaf
//
// jumps [CALLS, 1000]. Prints the calls of leaf() that were made, and how many of them returned.
#include <setjmp.h>

#include "tests/workloads/workload.h"

static jmp_buf out;
static uint64_t made, returned;

FRAME void leaf(unsigned depth, int jumps)
{
    made++;
    if (depth)
        leaf(depth - 1, jumps);
    else if (jumps)
        longjmp(out, 1);
    returned++;
    NO_TAIL_CALL();
}

FRAME static void turn(unsigned i)
{
    if (setjmp(out) == 0)
        leaf(1, i % 10 == 4);
    NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
    unsigned calls = (unsigned)argument(argc, argv, 1, 1000);
    for (unsigned i = 0; i < calls; i++)
        turn(i);
    truth("made", made);
    truth("returned", returned);
    return 0;
}
