// Half of the time in a signal handler that interrupts plain code, on the normal stack or on one of its own:
// main > between_signals > interrupted > (signal frame) > handler > in_handler.
//
// signals [SECONDS of CPU time, 2] [altstack]
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "tests/workloads/workload.h"

static uint64_t handler_ns;

FRAME static void in_handler(void)
{
    uint64_t start_ns = thread_cpu_ns();
    BURN_UNTIL_CPU_NS(start_ns + 5 * NS_PER_MS);
    handler_ns += thread_cpu_ns() - start_ns;
}

FRAME static void handler(int number)
{
    (void)number;
    in_handler();
    NO_TAIL_CALL();
}

// The signal comes from a timer on this thread's CPU time, so it hits anywhere in here: there is no call.
FRAME static void interrupted(uint64_t end_ns)
{
    BURN_UNTIL_CPU_NS(end_ns);
}

static int deliver_every(timer_t timer, long period_ns)
{
    struct itimerspec every = {{0, period_ns}, {0, period_ns}};
    return timer_settime(timer, 0, &every, NULL);
}

// The timer stops in here, so that the last signal finds no other function of ours than interrupted(): the kernel
// delivers it before timer_settime() returns at the latest.
FRAME static int between_signals(uint64_t end_ns)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0 || deliver_every(timer, 10 * (long)NS_PER_MS) != 0)
        return 1;
    interrupted(end_ns);
    return deliver_every(timer, 0);
}

int main(int argc, char **argv)
{
    static char other_stack[1 << 16];
    int on_other_stack = argc > 2 && strcmp(argv[2], "altstack") == 0;
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | (on_other_stack ? SA_ONSTACK : 0)};
    if ((on_other_stack && sigaltstack(&stack, NULL) != 0) || sigaction(SIGUSR1, &action, NULL) != 0)
        return 1;
    if (between_signals((uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND)) != 0)
        return 1;
    truth("in_handler", handler_ns);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
