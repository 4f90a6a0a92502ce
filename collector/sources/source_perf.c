#include "collector/sources/source_perf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/sources/source.h"
#include "collector/who/perf_event.h"
#include "collector/who/perf_records.h"

static int open_event(const struct event *event, uint32_t cpu)
{
    struct perf_event_attr attr = {
        .type = event->perf_type,
        .size = sizeof(attr),
        .config = event->perf_config,
        .freq = event->frequency_hz != 0,
        .sample_freq = event->frequency_hz ? event->frequency_hz : event->period,
        .exclude_idle = 1,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED,
    };
    perf_records__describe(&attr);
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

// On the first CPU that is online, to see whether the machine has the event at all.
static int open_somewhere(const struct event *event)
{
    long count = sysconf(_SC_NPROCESSORS_CONF);
    int fd = -ENODEV;
    for (uint32_t cpu = 0; cpu < count && fd == -ENODEV; cpu++)
        fd = open_event(event, cpu);
    return fd;
}

static void describe(struct event *event, const char *name)
{
    if (event->frequency_hz)
        snprintf(event->detail, sizeof(event->detail), "%s at %llu Hz", name, (unsigned long long)event->frequency_hz);
    else if (event->period == 1)
        snprintf(event->detail, sizeof(event->detail), "each of %s", name);
    else
        snprintf(event->detail, sizeof(event->detail), "%s every %llu", name, (unsigned long long)event->period);
}

static bool is_clock(const struct event *event)
{
    return event->perf_type == PERF_TYPE_SOFTWARE &&
           (event->perf_config == PERF_COUNT_SW_CPU_CLOCK || event->perf_config == PERF_COUNT_SW_TASK_CLOCK);
}

// The kernel's clocks fire no more often, whatever period they are asked for (kernel/events/core.c,
// perf_swevent_start_hrtimer): values would be less than the time that passed.
static int check_clock(const struct event *event, struct fault *fault)
{
    enum { LEAST_NS = 10000 };
    if (!is_clock(event) || event->frequency_hz || event->period >= LEAST_NS)
        return 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "'%s' is a clock here, of nanoseconds: its -c must be %d or more", event->spelled, LEAST_NS);
}

static int parse_cpu(struct event *event, struct fault *fault)
{
    if (strcmp(event->spelled, "cpu") != 0)
        return -ENOENT;
    event->perf_type = PERF_TYPE_HARDWARE;
    event->perf_config = PERF_COUNT_HW_CPU_CYCLES;
    const char *name = "cycles";
    int fd = open_somewhere(event);
    if (fd >= 0) {
        close(fd);
    } else {
        event->perf_type = PERF_TYPE_SOFTWARE;
        event->perf_config = PERF_COUNT_SW_CPU_CLOCK;
        name = "cpu-clock";
        // cpu-clock's period is time, and the kernel turns a frequency into one that stays (kernel/events/core.c,
        // perf_swevent_init_hrtimer).
        event->store_period = event->frequency_hz ? 1000000000u / event->frequency_hz : event->period;
    }
    describe(event, name);
    return check_clock(event, fault);
}

// --- perf's names

#define CACHE(cache, operation, result)                                                                                \
    PERF_TYPE_HW_CACHE, (PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_##operation << 8 |                       \
                         PERF_COUNT_HW_CACHE_RESULT_##result << 16)
#define SOFTWARE(config) PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##config
#define HARDWARE(config) PERF_TYPE_HARDWARE, PERF_COUNT_HW_##config

static const struct perf_name {
    const char *name, *alias, *unit;
    uint32_t type;
    uint64_t config;
} perf_names[] = {
    {"cpu-clock", NULL, "ns", SOFTWARE(CPU_CLOCK)},
    {"task-clock", NULL, "ns", SOFTWARE(TASK_CLOCK)},
    {"page-faults", "faults", "faults", SOFTWARE(PAGE_FAULTS)},
    {"minor-faults", NULL, "faults", SOFTWARE(PAGE_FAULTS_MIN)},
    {"major-faults", NULL, "faults", SOFTWARE(PAGE_FAULTS_MAJ)},
    {"context-switches", "cs", "switches", SOFTWARE(CONTEXT_SWITCHES)},
    {"cgroup-switches", NULL, "switches", SOFTWARE(CGROUP_SWITCHES)},
    {"cpu-migrations", "migrations", "migrations", SOFTWARE(CPU_MIGRATIONS)},
    {"alignment-faults", NULL, "faults", SOFTWARE(ALIGNMENT_FAULTS)},
    {"emulation-faults", NULL, "faults", SOFTWARE(EMULATION_FAULTS)},
    {"cycles", "cpu-cycles", "cycles", HARDWARE(CPU_CYCLES)},
    {"instructions", NULL, "instructions", HARDWARE(INSTRUCTIONS)},
    {"cache-references", NULL, "references", HARDWARE(CACHE_REFERENCES)},
    {"cache-misses", NULL, "misses", HARDWARE(CACHE_MISSES)},
    {"branches", "branch-instructions", "branches", HARDWARE(BRANCH_INSTRUCTIONS)},
    {"branch-misses", NULL, "misses", HARDWARE(BRANCH_MISSES)},
    {"bus-cycles", NULL, "cycles", HARDWARE(BUS_CYCLES)},
    {"ref-cycles", NULL, "cycles", HARDWARE(REF_CPU_CYCLES)},
    {"stalled-cycles-frontend", "idle-cycles-frontend", "cycles", HARDWARE(STALLED_CYCLES_FRONTEND)},
    {"stalled-cycles-backend", "idle-cycles-backend", "cycles", HARDWARE(STALLED_CYCLES_BACKEND)},
    {"L1-dcache-loads", NULL, "loads", CACHE(L1D, READ, ACCESS)},
    {"L1-dcache-load-misses", NULL, "misses", CACHE(L1D, READ, MISS)},
    {"L1-dcache-stores", NULL, "stores", CACHE(L1D, WRITE, ACCESS)},
    {"L1-icache-load-misses", NULL, "misses", CACHE(L1I, READ, MISS)},
    {"LLC-loads", NULL, "loads", CACHE(LL, READ, ACCESS)},
    {"LLC-load-misses", NULL, "misses", CACHE(LL, READ, MISS)},
    {"LLC-stores", NULL, "stores", CACHE(LL, WRITE, ACCESS)},
    {"LLC-store-misses", NULL, "misses", CACHE(LL, WRITE, MISS)},
    {"dTLB-loads", NULL, "loads", CACHE(DTLB, READ, ACCESS)},
    {"dTLB-load-misses", NULL, "misses", CACHE(DTLB, READ, MISS)},
    {"iTLB-load-misses", NULL, "misses", CACHE(ITLB, READ, MISS)},
    {"branch-loads", NULL, "loads", CACHE(BPU, READ, ACCESS)},
    {"branch-load-misses", NULL, "misses", CACHE(BPU, READ, MISS)},
    {"node-loads", NULL, "loads", CACHE(NODE, READ, ACCESS)},
    {"node-load-misses", NULL, "misses", CACHE(NODE, READ, MISS)},
};
#define PERF_NAMES (sizeof(perf_names) / sizeof(perf_names[0]))

static int parse_raw(struct event *event)
{
    char *end;
    if (event->spelled[0] != 'r' || !strchr("0123456789abcdefABCDEF", event->spelled[1]) || !event->spelled[1])
        return -ENOENT;
    event->perf_type = PERF_TYPE_RAW;
    event->perf_config = strtoull(event->spelled + 1, &end, 16);
    return *end ? -ENOENT : 0;
}

static int check_counted(const struct event *event, struct fault *fault)
{
    _cleanup_fd_ int fd = open_somewhere(event);
    if (fd >= 0 || fd == -EACCES || fd == -EPERM || event->perf_type == PERF_TYPE_SOFTWARE)
        return 0; // a want of privilege is said when it is attached
    return fault__set_code(fault, EXIT_CODE_LACKS, -ENOTSUP,
                           "this machine does not count '%s': its PMU has no such counter, or a virtual machine does "
                           "not show it; `hearth list events` shows what is counted here",
                           event->spelled);
}

static int parse_named(struct event *event, struct fault *fault)
{
    int err = parse_raw(event);
    for (size_t i = 0; err == -ENOENT && i < PERF_NAMES; i++) {
        const struct perf_name *row = &perf_names[i];
        if (strcmp(row->name, event->spelled) != 0 && (!row->alias || strcmp(row->alias, event->spelled) != 0))
            continue;
        event->perf_type = row->type;
        event->perf_config = row->config;
        event->unit = row->unit;
        err = 0;
    }
    if (!err)
        err = check_counted(event, fault);
    if (err)
        return err;
    if (event->frequency_hz && event->perf_type == PERF_TYPE_SOFTWARE && !is_clock(event)) {
        // The kernel keeps a frequency by a period that all of a CPU's processes share and that a burst of any one
        // raises a million times over: one may then have no sample at all, and another one that stands for billions.
        event->frequency_hz = 0;
        event->period = 1;
    }
    describe(event, event->spelled);
    return check_clock(event, fault);
}

static int configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    uint8_t counts_samples = strcmp(event__unit(event), "samples") == 0;
    uint8_t is_periodic = is_clock(event) || event->perf_type != PERF_TYPE_SOFTWARE;
    int err = loaded__set(loaded, "own_counts_samples", &counts_samples, sizeof(counts_samples), fault);
    return err ? err : loaded__set(loaded, "own_is_periodic", &is_periodic, sizeof(is_periodic), fault);
}

void source_perf__each(void (*row)(const char *name, const char *kind, bool is_here, void *context), void *context)
{
    for (size_t i = 0; i < PERF_NAMES; i++) {
        struct event event = {.perf_type = perf_names[i].type, .perf_config = perf_names[i].config, .period = 1000003};
        _cleanup_fd_ int fd = open_somewhere(&event);
        row(perf_names[i].name, event.perf_type == PERF_TYPE_SOFTWARE ? "software event" : "hardware event", fd >= 0,
            context);
    }
}

// A frequency becomes a period that stays, of a clock, or is kept up by the kernel on the average. 0: not known in
// time.
static uint64_t period_ns(const struct event *event)
{
    return event->frequency_hz ? 1000000000u / event->frequency_hz : is_clock(event) ? event->period : 0;
}

static int attach_cpu(struct event *event, struct perf_cpu *place)
{
    const struct bpf_program *program = loaded__program(event->loaded, "sample_perf_event");
    int fd = open_event(event, place->cpu);
    if (fd < 0)
        return fd;
    struct bpf_link *link = bpf_program__attach_perf_event(program, fd); // owns fd from here on
    if (!link) {
        int err = -errno;
        close(fd);
        return err;
    }
    int err = loaded__keep(event->loaded, link);
    if (err)
        return err;
    *place = (struct perf_cpu){.cpu = place->cpu, .fd = fd, .link = link};
    if (event->records && (is_clock(event) || event->perf_type != PERF_TYPE_SOFTWARE))
        perf_records__watch(event->records, place->cpu, fd, period_ns(event));
    return 0;
}

int source_perf__follow_cpus(struct event *event)
{
    for (size_t i = 0; i < event->cpu_count; i++) {
        struct perf_cpu *place = &event->cpus[i];
        if (place->fd >= 0 && !perf_event__is_dead(place->fd, &place->enabled_ns))
            continue;
        if (place->link)
            loaded__drop(event->loaded, place->link);
        *place = (struct perf_cpu){.cpu = place->cpu, .fd = -1};
        int err = attach_cpu(event, place);
        if (err && err != -ENODEV) // the CPU is offline still
            return err;
    }
    return 0;
}

// perf_event_open() refuses a frequency above perf_event_max_sample_rate with -EINVAL: the error names the limit.
static int say_rate(const struct event *event, struct fault *fault)
{
    static const char path[] = "/proc/sys/kernel/perf_event_max_sample_rate";
    unsigned long long most_hz = 0;
    _cleanup_file_ FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%llu", &most_hz) != 1)
        most_hz = 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "the kernel refuses -F %llu for '%s'; the most it allows now is %llu (%s)",
                           (unsigned long long)event->frequency_hz, event->spelled, most_hz, path);
}

int source_perf__attach(struct event *event, const struct target *target, struct fault *fault)
{
    size_t attached = 0;
    event->cpus = calloc(target->cpu_count, sizeof(*event->cpus));
    if (!event->cpus)
        return fault__set(fault, -ENOMEM, "out of memory");
    event->cpu_count = target->cpu_count;
    for (size_t i = 0; i < target->cpu_count; i++) {
        event->cpus[i] = (struct perf_cpu){.cpu = target->cpus[i], .fd = -1};
        int err = attach_cpu(event, &event->cpus[i]);
        if (err == -ENODEV) // the CPU is offline: source_perf__follow_cpus() looks for it
            continue;
        if (err == -EACCES || err == -EPERM)
            return fault__set_code(fault, EXIT_CODE_LACKS, err,
                                   "cannot open the event '%s' on CPU %u: %s; run as root, or with CAP_PERFMON",
                                   event->spelled, target->cpus[i], strerror(-err));
        if (err == -EINVAL && event->frequency_hz)
            return say_rate(event, fault);
        if (err)
            return fault__set_code(fault, EXIT_CODE_LACKS, err, "cannot open the event '%s' on CPU %u: %s",
                                   event->spelled, target->cpus[i], strerror(-err));
        attached++;
    }
    return attached ? 0 : fault__set(fault, -ENODEV, "no CPU to open the event '%s' on", event->spelled);
}

const struct source source_cpu = {
    .spelling = "cpu",
    .summary = "on-CPU samples: cycles where the PMU has them, else cpu-clock",
    .unit = "samples",
    .object = "source_perf",
    .is_sampled = true,
    .parse = parse_cpu,
    .configure = configure,
    .attach = source_perf__attach,
    .follow_cpus = source_perf__follow_cpus,
};

const struct source source_perf_named = {
    .spelling = "page-faults, cycles, ...",
    .summary = "perf's events by perf's names, and rNNNN; software events each, or one of many by -c",
    .unit = "events",
    .object = "source_perf",
    .is_sampled = true,
    .parse = parse_named,
    .configure = configure,
    .attach = source_perf__attach,
    .follow_cpus = source_perf__follow_cpus,
};
