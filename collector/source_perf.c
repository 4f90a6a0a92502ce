#include "collector/source_perf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_event(const struct event *event, uint32_t cpu)
{
    struct perf_event_attr attr = {
        .type = event->perf_type,
        .size = sizeof(attr),
        .config = event->perf_config,
        .freq = event->frequency_hz != 0,
        .sample_freq = event->frequency_hz ? event->frequency_hz : event->period,
        .exclude_idle = 1,
    };
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int source_perf__parse_cpu(struct event *event, struct fault *fault)
{
    (void)fault;
    if (strcmp(event->spelled, "cpu") != 0)
        return -ENOENT;
    event->perf_type = PERF_TYPE_HARDWARE;
    event->perf_config = PERF_COUNT_HW_CPU_CYCLES;
    const char *name = "cycles";
    int fd = open_event(event, 0);
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
    if (event->frequency_hz)
        snprintf(event->detail, sizeof(event->detail), "%s at %llu Hz", name, (unsigned long long)event->frequency_hz);
    else
        snprintf(event->detail, sizeof(event->detail), "%s every %llu", name, (unsigned long long)event->period);
    return 0;
}

static int attach_cpu(struct event *event, const struct bpf_program *program, uint32_t cpu)
{
    int fd = open_event(event, cpu);
    if (fd < 0)
        return fd;
    struct bpf_link *link = bpf_program__attach_perf_event(program, fd); // owns fd from here on
    if (!link) {
        int err = -errno;
        close(fd);
        return err;
    }
    return loaded__keep(event->loaded, link);
}

int source_perf__attach(struct event *event, const struct target *target, struct fault *fault)
{
    const struct bpf_program *program = loaded__program(event->loaded, "sample_perf_event");
    size_t attached = 0;
    for (size_t i = 0; i < target->cpu_count; i++) {
        int err = attach_cpu(event, program, target->cpus[i]);
        if (err == -ENODEV) // the CPU went offline since it was listed
            continue;
        if (err == -EACCES || err == -EPERM)
            return fault__set_code(fault, EXIT_CODE_LACKS, err,
                                   "cannot open the event '%s' on CPU %u: %s; run as root, or with CAP_PERFMON",
                                   event->spelled, target->cpus[i], strerror(-err));
        if (err == -EINVAL && event->frequency_hz)
            return fault__set_code(fault, EXIT_CODE_USAGE, err,
                                   "the kernel refuses %llu Hz; the most it allows is in "
                                   "/proc/sys/kernel/perf_event_max_sample_rate",
                                   (unsigned long long)event->frequency_hz);
        if (err)
            return fault__set_code(fault, EXIT_CODE_LACKS, err, "cannot open the event '%s' on CPU %u: %s",
                                   event->spelled, target->cpus[i], strerror(-err));
        attached++;
    }
    return attached ? 0 : fault__set(fault, -ENODEV, "no CPU to open the event '%s' on", event->spelled);
}
