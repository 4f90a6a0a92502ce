// Forks COUNT children that exit at once, one after the other, as fast as it can. `forks [COUNT, 20000]`
#include <sys/wait.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

int main(int argc, char **argv)
{
    volatile uint64_t count = (uint64_t)argument(argc, argv, 1, 20000), start_ns = wall_ns(); // vfork() returns twice
    for (volatile uint64_t i = 0; i < count; i++) {
        pid_t pid = vfork();
        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
    }
    truth("forks", count);
    truth("elapsed_ns", wall_ns() - start_ns);
    return 0;
}
