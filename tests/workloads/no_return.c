// A frame whose return address reads zero, although its unwind rules say that there is one: main > no_return, which
// has pushed a zero that its CFI does not know of. Nothing of its callers can be found.
//
// no_return [SECONDS of CPU time, 1]
#include "tests/workloads/workload.h"

void no_return(uint64_t turns);
__asm__(".text\n"
        ".type no_return, @function\n"
        "no_return:\n"
        ".cfi_startproc\n"
        "    pushq $0\n"
        "1:  decq %rdi\n"
        "    jnz 1b\n"
        "    popq %rax\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size no_return, . - no_return\n");

int main(int argc, char **argv)
{
    uint64_t end_ns = thread_cpu_ns() + (argc > 1 ? strtoull(argv[1], NULL, 10) : 1) * NS_PER_SECOND;
    while (thread_cpu_ns() < end_ns)
        no_return(1000000);
    return 0;
}
