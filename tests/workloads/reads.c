// Threads that want all CPUs, and one that reads from a pipe what another writes into it now and then: for recordings
// that count CPU time, waits, system calls and the run queue at once. Each thread has a name of its own:
//
//   spinner   spin            on the CPU, until the reader is through; SPINNERS of them
//   reader    read_in_turns   ROUNDS reads of one byte; the only ones that it does
//   writer    write_in_turns  sleeps for 2 ms, then writes a byte; ROUNDS times
//
// reads [SPINNERS, 4] [ROUNDS, 500]. Prints
//
//   truth NAME CPU_NS OFF_NS LIFE_NS DELAY_NS      summed over the threads of that name
//   truth read_ns NS                               measured around each read()
//
// CPU_NS and OFF_NS (wall time that is no CPU time) are of the thread's work, DELAY_NS is how long it was ready to run
// meanwhile and had no CPU, as the kernel accounts for it. LIFE_NS is measured by main(), from before the thread's
// creation until after its join: the thread's time off the CPU lies between OFF_NS and LIFE_NS - CPU_NS.
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

static int ends[2];
static unsigned rounds;
static atomic_int is_through;
static uint64_t read_ns;

// The second number of schedstat, without a read().
static uint64_t delayed_ns(void)
{
    char text[128] = "", *end;
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (pread(fd, text, sizeof(text) - 1, 0) < 0)
        text[0] = '\0';
    close(fd);
    strtoull(text, &end, 10);
    return strtoull(end, NULL, 10);
}

FRAME static void spin(void)
{
    while (!is_through)
        BURN();
}

FRAME static void read_in_turns(void)
{
    char byte;
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t start_ns = wall_ns();
        if (read(ends[0], &byte, 1) != 1)
            abort();
        read_ns += wall_ns() - start_ns;
    }
    is_through = 1;
}

FRAME static void write_in_turns(void)
{
    for (unsigned i = 0; i < rounds; i++) {
        sleep_ns(2 * NS_PER_MS);
        if (write(ends[1], "x", 1) != 1)
            abort();
    }
}

static struct role {
    const char *name;
    void (*work)(void);
    pthread_t thread;
    uint64_t created_ns, life_ns, cpu_ns, off_ns, delay_ns;
} roles[64];

static void *thread_main(void *argument)
{
    struct role *role = argument;
    pthread_setname_np(pthread_self(), role->name);
    uint64_t delay_ns = delayed_ns(), cpu_ns = thread_cpu_ns(), start_ns = wall_ns();
    role->work();
    uint64_t took_ns = wall_ns() - start_ns;
    role->cpu_ns = thread_cpu_ns() - cpu_ns;
    role->off_ns = took_ns > role->cpu_ns ? took_ns - role->cpu_ns : 0;
    role->delay_ns = delayed_ns() - delay_ns;
    return NULL;
}

static void print_sums(const char *name, unsigned first, unsigned end)
{
    struct role sum = {0};
    for (unsigned i = first; i < end; i++) {
        sum.cpu_ns += roles[i].cpu_ns;
        sum.off_ns += roles[i].off_ns;
        sum.life_ns += roles[i].life_ns;
        sum.delay_ns += roles[i].delay_ns;
    }
    printf("truth %s %llu %llu %llu %llu\n", name, (unsigned long long)sum.cpu_ns, (unsigned long long)sum.off_ns,
           (unsigned long long)sum.life_ns, (unsigned long long)sum.delay_ns);
}

int main(int argc, char **argv)
{
    unsigned spinners = (unsigned)argument(argc, argv, 1, 4), count = spinners + 2;
    rounds = (unsigned)argument(argc, argv, 2, 500);
    if (count > sizeof(roles) / sizeof(roles[0]) || pipe(ends) != 0)
        return 2;
    for (unsigned i = 0; i < spinners; i++)
        roles[i] = (struct role){.name = "spinner", .work = spin};
    roles[spinners] = (struct role){.name = "reader", .work = read_in_turns};
    roles[spinners + 1] = (struct role){.name = "writer", .work = write_in_turns};
    for (unsigned i = 0; i < count; i++) {
        roles[i].created_ns = wall_ns();
        if (pthread_create(&roles[i].thread, NULL, thread_main, &roles[i]) != 0)
            return 1;
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(roles[i].thread, NULL);
        roles[i].life_ns = wall_ns() - roles[i].created_ns;
    }
    print_sums("spinner", 0, spinners);
    print_sums("reader", spinners, spinners + 1);
    print_sums("writer", spinners + 1, count);
    truth("read_ns", read_ns);
    return 0;
}
