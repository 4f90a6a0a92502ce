#include "collector/programs/bpf_meter.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "store/base/clock.h"

#define MS_NS 1000000ull

enum {
    PROGRAMS_MAX = 64,
    SELDOM_HZ = 20000,  // runs a second, above which the statistics are not left on: 0.1 % of a CPU
    WINDOW_MS = 10,     // two hundred runs at the least
    GAP_LEAST_MS = 50,  // doubled from window to window, so that short recordings have several
    GAP_MOST_MS = 400,  // and they cost a fortieth of what they would
    LOOK_MOST_MS = 400, // while they are on: how long before it is seen that runs are no longer seldom
};

struct reading {
    uint64_t clock_ns; // CLOCK_MONOTONIC
    uint64_t runs, ns; // measured by the kernel, since the programs were loaded
    uint64_t misses;   // runs left out by the kernel, since then
};

struct bpf_meter {
    int program_fds[PROGRAMS_MAX];
    int program_count;
    struct reading removed; // of programs that are counted no more
    int timer_fd, statistics_fd;
    uint64_t gap_ns;
    struct reading seen;           // where the window begins
    uint64_t told_ns;              // CLOCK_MONOTONIC, up to when all is in the sums; 0: not started, or stopped
    double runs, ns;               // the sums
    double runs_per_ns, ns_per_ns; // in the last window
};

int bpf_statistics__open(void)
{
    return bpf_enable_stats(BPF_STATS_RUN_TIME);
}

int bpf_meter__new(struct bpf_meter **ret_meter)
{
    _cleanup_(bpf_meter__freep) struct bpf_meter *meter = calloc(1, sizeof(*meter));
    if (!meter)
        return -ENOMEM;
    meter->statistics_fd = -1;
    meter->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (meter->timer_fd < 0)
        return -errno;
    *ret_meter = take_pointer(meter);
    return 0;
}

void bpf_meter__free(struct bpf_meter *meter)
{
    if (!meter)
        return;
    fd__close(&meter->timer_fd);
    fd__close(&meter->statistics_fd);
    free(meter);
}

void bpf_meter__add(struct bpf_meter *meter, int program_fd)
{
    if (program_fd >= 0 && meter->program_count < PROGRAMS_MAX)
        meter->program_fds[meter->program_count++] = program_fd;
}

static void set_timer(struct bpf_meter *meter, uint64_t ns)
{
    struct itimerspec setting = {
        .it_value = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)}};
    timerfd_settime(meter->timer_fd, 0, &setting, NULL);
}

static void add_program(int fd, struct reading *reading)
{
    struct bpf_prog_info info = {0};
    __u32 length = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0)
        return;
    reading->runs += info.run_cnt;
    reading->ns += info.run_time_ns;
    reading->misses += info.recursion_misses;
}

static void read_programs(const struct bpf_meter *meter, struct reading *ret_reading)
{
    *ret_reading = meter->removed;
    ret_reading->clock_ns = clock__ns(CLOCK_MONOTONIC);
    for (int i = 0; i < meter->program_count; i++)
        add_program(meter->program_fds[i], ret_reading);
}

void bpf_meter__remove(struct bpf_meter *meter, int program_fd)
{
    for (int i = 0; i < meter->program_count; i++)
        if (meter->program_fds[i] == program_fd) {
            add_program(program_fd, &meter->removed);
            meter->program_fds[i] = meter->program_fds[--meter->program_count];
            return;
        }
}

static void close_window(struct bpf_meter *meter)
{
    fd__close(&meter->statistics_fd);
    meter->statistics_fd = -1;
}

// Clock and counters of one moment: on a busy machine another thread may have had the CPU between them.
static void read_at_once(const struct bpf_meter *meter, struct reading *ret_reading)
{
    enum { TURNS = 8, AT_ONCE_NS = 300000 };
    for (int turn = 0; turn < TURNS; turn++) {
        read_programs(meter, ret_reading);
        if (clock__ns(CLOCK_MONOTONIC) - ret_reading->clock_ns < AT_ONCE_NS)
            return;
    }
}

// Turning them on takes the kernel a while, in which some runs are measured: those are left out.
static void open_window(struct bpf_meter *meter)
{
    meter->statistics_fd = bpf_statistics__open();
    read_at_once(meter, &meter->seen);
}

void bpf_meter__start(struct bpf_meter *meter)
{
    open_window(meter);
    meter->told_ns = meter->seen.clock_ns;
    meter->gap_ns = GAP_LEAST_MS * MS_NS;
    if (meter->statistics_fd >= 0)
        set_timer(meter, meter->gap_ns);
}

// The window has been open up to now. Returns how often programs ran in it, a second.
static double add_window(struct bpf_meter *meter)
{
    struct reading now;
    read_at_once(meter, &now);
    double width = (double)(now.clock_ns - meter->seen.clock_ns) + 1, runs = (double)(now.runs - meter->seen.runs),
           ns = (double)(now.ns - meter->seen.ns);
    double scale = (double)(now.clock_ns - meter->told_ns + 1) / width;
    meter->runs += runs * scale;
    meter->ns += ns * scale;
    meter->runs_per_ns = runs / width;
    meter->ns_per_ns = ns / width;
    meter->told_ns = now.clock_ns;
    meter->seen = now;
    return 1e9 * meter->runs_per_ns;
}

// Of a window that is narrower a few runs would decide.
static bool is_wide(const struct bpf_meter *meter)
{
    return clock__ns(CLOCK_MONOTONIC) - meter->seen.clock_ns >= WINDOW_MS * MS_NS;
}

static uint64_t grow(uint64_t gap_ns, uint64_t most_ms)
{
    uint64_t most_ns = most_ms * MS_NS;
    return 2 * gap_ns < most_ns ? 2 * gap_ns : most_ns;
}

int bpf_meter__fd(const struct bpf_meter *meter)
{
    return meter->timer_fd;
}

void bpf_meter__tick(struct bpf_meter *meter)
{
    uint64_t ignored;
    if (read(meter->timer_fd, &ignored, sizeof(ignored)) != sizeof(ignored))
        return;
    if (meter->statistics_fd < 0) {
        open_window(meter);
        set_timer(meter, WINDOW_MS * MS_NS);
        return;
    }
    if (!is_wide(meter)) { // bpf_meter__ns() has just closed one
        set_timer(meter, WINDOW_MS * MS_NS);
        return;
    }
    if (add_window(meter) > SELDOM_HZ) {
        close_window(meter);
        meter->gap_ns = grow(meter->gap_ns, GAP_MOST_MS);
    } else {
        meter->gap_ns = grow(meter->gap_ns, LOOK_MOST_MS);
    }
    set_timer(meter, meter->gap_ns);
}

void bpf_meter__stop(struct bpf_meter *meter)
{
    if (meter->told_ns == 0)
        return;
    if (meter->statistics_fd >= 0) {
        add_window(meter);
    } else {
        double missed_ns = (double)(clock__ns(CLOCK_MONOTONIC) - meter->told_ns);
        meter->ns += missed_ns * meter->ns_per_ns;
        meter->runs += missed_ns * meter->runs_per_ns;
    }
    close_window(meter);
    set_timer(meter, 0);
    meter->told_ns = 0;
}

uint64_t bpf_meter__ns(struct bpf_meter *meter)
{
    if (meter->statistics_fd >= 0 && is_wide(meter))
        add_window(meter);
    return (uint64_t)meter->ns;
}

uint64_t bpf_meter__misses(const struct bpf_meter *meter)
{
    struct reading now;
    read_programs(meter, &now);
    return now.misses;
}

double bpf_meter__scale(const struct bpf_meter *meter)
{
    return meter->seen.runs ? meter->runs / (double)meter->seen.runs : 1;
}
