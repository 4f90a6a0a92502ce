// One thing done over and over, and how long it takes: for what it costs to be observed.
//
// paces function|marked|usdt|syscall|switch [TIMES, 100000]
//
//   function   hit_0(), or hit_1() to hit_3(), is called: they are alike to the byte
//   marked     marked_0(), or 1 to 3: the same, behind an endbr64, as where compilers have -fcf-protection
//   usdt       two probes are passed, hearth_pace:begin_0(number) and hearth_pace:end_0(number), or 1 to 3
//   syscall    personality(2) asks what the personality is
//   switch     two threads hand a byte to and fro over two pipes
//
// Four processes, the lanes, take turns, a batch of some 100 us and more each, so that whatever observes one of them
// meets the same moods of the machine as what observes another, or as nobody. Prints `pid LANE PID` for each, and
// begins when it is told to by a line on stdin. Each lane does it TIMES times to warm up and TIMES times more. Prints
// `truth times` (both), and of each lane what one of the times takes in its middle batch, in ps of wall time (whoever
// interrupts some batches does not change that), and how long its threads were off the CPU since they first ran:
//
//   truth batch_ps LANE PS
//   truth off_ns LANE NS
//   truth waited_ns NS      as long as the process that started them was
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/sdt.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/workloads/workload.h"

#define LANES       4
#define BATCHES_MAX (1 << 16)

struct lane {
    uint64_t off_ns;
    uint64_t batch_ns[BATCHES_MAX];
};

static unsigned times, batches; // each of them twice
static struct lane *lanes;      // shared
static int turn[LANES][2];
static int there[2], back[2];

static void wait_for_byte(int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        exit(1);
}

static void send_byte(int fd)
{
    if (write(fd, "", 1) != 1)
        exit(1);
}

// A function that begins by saving a register, and probes.
#define LANE(number)                                                                                                   \
    uint64_t hit_##number(uint64_t value);                                                                             \
    FRAME uint64_t hit_##number(uint64_t value)                                                                        \
    {                                                                                                                  \
        __asm__ volatile("" : "+r"(value)::"rbx");                                                                     \
        return value + 1;                                                                                              \
    }                                                                                                                  \
    static void call_##number(unsigned count)                                                                          \
    {                                                                                                                  \
        for (uint64_t i = 0; i < count;)                                                                               \
            i = hit_##number(i);                                                                                       \
    }                                                                                                                  \
    static void pass_##number(unsigned count)                                                                          \
    {                                                                                                                  \
        for (unsigned i = 0; i < count; i++) {                                                                         \
            DTRACE_PROBE1(hearth_pace, begin_##number, i);                                                             \
            DTRACE_PROBE1(hearth_pace, end_##number, i);                                                               \
        }                                                                                                              \
    }

LANE(0)
LANE(1)
LANE(2)
LANE(3)

#ifdef __x86_64__
#define MARKED(number)                                                                                                 \
    uint64_t marked_##number(uint64_t value);                                                                          \
    __asm__(".pushsection .text\n.p2align 6\n.globl marked_" #number "\n.type marked_" #number                         \
            ", @function\nmarked_" #number                                                                             \
            ": endbr64\n push %rbx\n lea 1(%rdi), %rax\n pop %rbx\n ret\n.size marked_" #number                        \
            ", . - marked_" #number "\n.popsection\n");                                                                \
    static void call_marked_##number(unsigned count)                                                                   \
    {                                                                                                                  \
        for (uint64_t i = 0; i < count;)                                                                               \
            i = marked_##number(i);                                                                                    \
    }

MARKED(0)
MARKED(1)
MARKED(2)
MARKED(3)
#endif

static void ask(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (syscall(SYS_personality, 0xffffffff) < 0)
            exit(1);
}

static void hand_over(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        send_byte(there[1]);
        wait_for_byte(back[0]);
    }
}

FRAME static void *answer(void *lane)
{
    uint64_t begun_ns = 0;
    for (unsigned i = 0; i < 2 * times; i++) {
        wait_for_byte(there[0]);
        if (!i)
            begun_ns = wall_ns() - thread_cpu_ns();
        send_byte(back[1]);
    }
    __atomic_fetch_add(&((struct lane *)lane)->off_ns, wall_ns() - thread_cpu_ns() - begun_ns, __ATOMIC_RELAXED);
    return NULL;
}

static const struct pace {
    const char *name;
    void (*lanes[LANES])(unsigned count);
    unsigned batch;
} paces[] = {
    {"function", {call_0, call_1, call_2, call_3}, 100},
#ifdef __x86_64__
    {"marked", {call_marked_0, call_marked_1, call_marked_2, call_marked_3}, 20},
#endif
    {"usdt", {pass_0, pass_1, pass_2, pass_3}, 100},
    {"syscall", {ask, ask, ask, ask}, 1000},
    {"switch", {hand_over, hand_over, hand_over, hand_over}, 50},
};

static void run(const struct pace *pace, unsigned number)
{
    struct lane *lane = &lanes[number];
    uint64_t begun_ns = 0;
    for (unsigned i = 0; i < 2 * batches; i++) {
        wait_for_byte(turn[number][0]);
        if (!i)
            begun_ns = wall_ns() - thread_cpu_ns();
        uint64_t start_ns = wall_ns();
        pace->lanes[number](pace->batch);
        lane->batch_ns[i % batches] = wall_ns() - start_ns;
        send_byte(turn[(number + 1) % LANES][1]);
    }
    __atomic_fetch_add(&lane->off_ns, wall_ns() - thread_cpu_ns() - begun_ns, __ATOMIC_RELAXED);
}

static int start_lane(const struct pace *pace, unsigned number)
{
    pthread_t thread;
    pid_t pid = fork();
    if (pid != 0) {
        printf("pid %u %d\n", number, (int)pid);
        return pid < 0 ? -1 : 0;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int has_partner = pace->lanes[number] == hand_over;
    if (has_partner && (pipe(there) != 0 || pipe(back) != 0 || pthread_create(&thread, NULL, answer, &lanes[number])))
        _exit(1);
    run(pace, number);
    if (has_partner)
        pthread_join(thread, NULL);
    _exit(0);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void tell(const struct pace *pace)
{
    truth("times", 2 * times);
    for (unsigned i = 0; i < LANES; i++) {
        qsort(lanes[i].batch_ns, batches, sizeof(lanes[i].batch_ns[0]), compare);
        printf("truth batch_ps %u %llu\n", i, 1000ull * lanes[i].batch_ns[batches / 2] / pace->batch);
        printf("truth off_ns %u %llu\n", i, (unsigned long long)lanes[i].off_ns);
    }
}

int main(int argc, char **argv)
{
    size_t i = 0, count = sizeof(paces) / sizeof(paces[0]);
    int status;
    char line[16];
    while (argc > 1 && i < count && strcmp(argv[1], paces[i].name) != 0)
        i++;
    times = (unsigned)argument(argc, argv, 2, 100000);
    if (argc < 2 || i == count || times < paces[i].batch || times / paces[i].batch > BATCHES_MAX)
        return 2;
    batches = times / paces[i].batch;
    times = batches * paces[i].batch;
    lanes = mmap(NULL, LANES * sizeof(*lanes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (lanes == MAP_FAILED)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned lane = 0; lane < LANES; lane++)
        if (pipe(turn[lane]) != 0)
            return 1;
    for (unsigned lane = 0; lane < LANES; lane++)
        if (start_lane(&paces[i], lane) != 0)
            return 1;
    if (!fgets(line, sizeof(line), stdin))
        return 1;
    uint64_t begun_ns = wall_ns() - thread_cpu_ns();
    send_byte(turn[0][1]);
    while (wait(&status) > 0)
        if (status != 0)
            return 1;
    tell(&paces[i]);
    truth("waited_ns", wall_ns() - thread_cpu_ns() - begun_ns);
    return 0;
}
