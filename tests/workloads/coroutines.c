// Coroutines on stacks of their own (makecontext), in turn: __start_context > coroutine > in_coroutine_N.
//
// coroutines [SECONDS of CPU time, 2]
#include <ucontext.h>

#include "tests/workloads/workload.h"

#define COROUTINES 3
static ucontext_t main_context, contexts[COROUTINES];
static uint64_t used_ns[COROUTINES], end_ns;

#define IN_COROUTINE(index)                                                                                            \
    FRAME static void in_coroutine_##index(void)                                                                       \
    {                                                                                                                  \
        uint64_t start_ns = thread_cpu_ns();                                                                           \
        BURN_UNTIL_CPU_NS(start_ns + 4 * NS_PER_MS);                                                                   \
        used_ns[index] += thread_cpu_ns() - start_ns;                                                                  \
    }
IN_COROUTINE(0)
IN_COROUTINE(1)
IN_COROUTINE(2)

FRAME static void coroutine(int index)
{
    static void (*const work[COROUTINES])(void) = {in_coroutine_0, in_coroutine_1, in_coroutine_2};
    while (thread_cpu_ns() < end_ns) {
        work[index]();
        swapcontext(&contexts[index], &contexts[(index + 1) % COROUTINES]);
    }
}

int main(int argc, char **argv)
{
    static char stacks[COROUTINES][1 << 16];
    end_ns = (uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND);
    for (int i = 0; i < COROUTINES; i++) {
        getcontext(&contexts[i]);
        contexts[i].uc_stack.ss_sp = stacks[i];
        contexts[i].uc_stack.ss_size = sizeof(stacks[i]);
        contexts[i].uc_link = &main_context;
        makecontext(&contexts[i], (void (*)(void))coroutine, 1, i);
    }
    swapcontext(&main_context, &contexts[0]);
    truth("in_coroutine_0", used_ns[0]);
    truth("in_coroutine_1", used_ns[1]);
    truth("in_coroutine_2", used_ns[2]);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
