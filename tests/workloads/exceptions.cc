// C++ exceptions: a third of the time before the throw, the rest in the handler and in destructors while unwinding.
// main > attempts > attempt > thrower > before_throw, attempt > handler, and ~guard under _Unwind_RaiseException.
//
// exceptions [SECONDS of CPU time, 2]
#include <stdexcept>

extern "C" {
#include "tests/workloads/workload.h"
}

namespace hearth_test
{

static uint64_t before_ns, destructor_ns, handler_ns;

static void __attribute__((noinline)) before_throw(uint64_t ns)
{
    uint64_t start_ns = thread_cpu_ns();
    BURN_UNTIL_CPU_NS(start_ns + ns);
    before_ns += thread_cpu_ns() - start_ns;
}

static void __attribute__((noinline)) handler(uint64_t ns)
{
    uint64_t start_ns = thread_cpu_ns();
    BURN_UNTIL_CPU_NS(start_ns + ns);
    handler_ns += thread_cpu_ns() - start_ns;
}

struct guard {
    __attribute__((noinline)) ~guard()
    {
        uint64_t start_ns = thread_cpu_ns();
        BURN_UNTIL_CPU_NS(start_ns + NS_PER_MS);
        destructor_ns += thread_cpu_ns() - start_ns;
    }
};

static void __attribute__((noinline)) thrower(unsigned round)
{
    guard on_the_way;
    before_throw(NS_PER_MS);
    throw std::runtime_error(round % 2 ? "odd" : "even");
}

template <typename error> static void __attribute__((noinline)) attempt(unsigned round)
{
    try {
        thrower(round);
    } catch (const error &) {
        handler(NS_PER_MS);
    }
    NO_TAIL_CALL();
}

static void __attribute__((noinline)) attempts(uint64_t end_ns)
{
    for (unsigned round = 0; thread_cpu_ns() < end_ns; round++)
        attempt<std::exception>(round);
}

} // namespace hearth_test

int main(int argc, char **argv)
{
    hearth_test::attempts((uint64_t)(argument(argc, argv, 1, 2) * NS_PER_SECOND));
    truth("before_throw", hearth_test::before_ns);
    truth("destructor", hearth_test::destructor_ns);
    truth("handler", hearth_test::handler_ns);
    truth("cpu_ns", thread_cpu_ns());
    return 0;
}
