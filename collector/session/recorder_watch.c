// A recording while it runs: registers with the loop all that it waits for, and the call for each.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "collector/session/recorder_insides.h"

struct target_watch {
    struct recorder *recorder;
    const struct target_process *process;
};

void recorder__clear_status(const struct recorder *recorder)
{
    if (recorder->options->show_status)
        fprintf(stderr, "\r\033[K");
}

static bool ends_recording(const struct recorder *recorder, uint32_t signal)
{
    const struct recorder_owner *owner = recorder->options->owner;
    return signal != SIGHUP || !owner || owner->ends_at_hangup(owner->context);
}

static int on_signal(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    struct signalfd_siginfo signal;
    (void)fault;
    while (read(recorder->signal_fd, &signal, sizeof(signal)) == sizeof(signal)) { // a second signal is another one
        if (!ends_recording(recorder, signal.ssi_signo))
            continue;
        loop__stop(recorder->loop);
        if (recorder->options->owner && signal.ssi_signo == SIGHUP)
            break; // the owner's next recording gets a SIGTERM that came with it
    }
    return 0;
}

static int on_end(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    (void)fault;
    loop__stop(recorder->loop);
    return 0;
}

static int on_drain(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    int err = recorder_interval__keep(recorder, false, fault);
    return err ? err : recorder_interval__show_histograms(recorder, false);
}

static int on_aligned_drain(void *own, struct fault *fault);

// The next drain is at a multiple of the period by the wall clock, and not less than half a period away, so that the
// time lines of many hosts have the same steps, and a whole number of intervals makes a minute. A clock that is set
// meanwhile makes one interval longer or shorter.
static int align_drain(struct recorder *recorder)
{
    uint64_t period_ns = recorder->options->drain_ns;
    uint64_t left_ns = period_ns - clock__ns(CLOCK_REALTIME) % period_ns;
    if (left_ns < period_ns / 2)
        left_ns += period_ns;
    return loop__add_timer(recorder->loop, left_ns, false, on_aligned_drain, recorder);
}

static int on_aligned_drain(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    int err = on_drain(own, fault);
    if (err)
        return err;
    err = align_drain(recorder);
    return err ? fault__set(fault, err, "cannot set a timer: %s", strerror(-err)) : 0;
}

static int on_fill(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    return fill__take(recorder->fill) ? recorder_interval__keep(recorder, false, fault) : 0;
}

static int on_guests(void *own, struct fault *fault)
{
    const struct recorder *recorder = own;
    (void)fault;
    guest_codes__read(recorder->guests);
    return 0;
}

static int on_status(void *own, struct fault *fault)
{
    const struct recorder *recorder = own;
    const struct keeper_totals *totals = keeper__totals(recorder->keeper);
    (void)fault;
    fprintf(stderr, "\r\033[Khearth: %llu s, %llu samples, %llu lost",
            (unsigned long long)((clock__ns(CLOCK_MONOTONIC) - recorder->started_ns) / 1000000000u),
            (unsigned long long)drain__emitted(recorder->drain), (unsigned long long)totals->lost);
    fflush(stderr);
    return 0;
}

static int read_records(struct recorder *recorder, struct fault *fault)
{
    int err = recorder_interval__read_records(recorder);
    return err ? fault__set(fault, err, "cannot follow the processes: %s", strerror(-err)) : 0;
}

// Many forks fill the table of processes: then the drain comes at once.
int recorder_watch__on_records(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    int err = read_records(recorder, fault);
    if (err || !processes__is_crowded(recorder->processes))
        return err;
    return recorder_interval__keep(recorder, false, fault);
}

static int on_copies(void *own, struct fault *fault)
{
    return recorder_interval__read_copies(own, fault);
}

static int on_cgroups(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    (void)fault;
    cgroup_names__read(recorder->cgroups);
    return 0;
}

static int on_meter(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    (void)fault;
    bpf_meter__tick(recorder->meter);
    return 0;
}

static void say_pace(void *context, const char *text)
{
    recorder__clear_status(context);
    fault__warn("%s", text);
}

static int on_pace(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    (void)fault;
    governor__tick(recorder->governor, bpf_meter__ns(recorder->meter), say_pace, recorder);
    return 0;
}

static int on_target_gone(void *own, struct fault *fault)
{
    const struct target_watch *watch = own;
    struct recorder *recorder = watch->recorder;
    (void)fault;
    loop__remove(recorder->loop, watch->process->pidfd);
    recorder->targets_left--;
    bool is_command = (pid_t)watch->process->pid == recorder->launch.pid;
    if (!is_command) {
        recorder__clear_status(recorder);
        fault__warn("PID %u has exited; what was collected of it is kept", watch->process->pid);
    }
    if (is_command || recorder->targets_left == 0)
        loop__stop(recorder->loop);
    return 0;
}

static int watch_targets(struct recorder *recorder)
{
    size_t count = recorder->target.process_count;
    recorder->target_watches = calloc(count + 1, sizeof(*recorder->target_watches));
    if (!recorder->target_watches)
        return -ENOMEM;
    int err = 0;
    for (size_t i = 0; i < count && !err; i++) {
        struct target_watch *watch = &recorder->target_watches[i];
        *watch = (struct target_watch){.recorder = recorder, .process = &recorder->target.processes[i]};
        err = loop__add(recorder->loop, watch->process->pidfd, on_target_gone, watch);
    }
    recorder->targets_left = count;
    return err;
}

static int watch_records(struct recorder *recorder)
{
    int err = 0;
    for (size_t i = 0; i < perf_records__fd_count(recorder->records) && !err; i++) {
        int fd = perf_records__fd(recorder->records, i);
        if (fd >= 0) // else the CPU is offline; see follow_cpus()
            err = loop__add(recorder->loop, fd, recorder_watch__on_records, recorder);
    }
    return err;
}

static int watch_programs(struct recorder *recorder)
{
    int err = recorder->copies ? loop__add(recorder->loop, copy_stacks__fd(recorder->copies), on_copies, recorder) : 0;
    if (!err)
        err = loop__add(recorder->loop, bpf_meter__fd(recorder->meter), on_meter, recorder);
    if (!err)
        err = loop__add(recorder->loop, governor__fd(recorder->governor), on_pace, recorder);
    if (!err)
        err = loop__add(recorder->loop, fill__fd(recorder->fill), on_fill, recorder);
    if (!err && recorder->guests)
        err = loop__add(recorder->loop, guest_codes__fd(recorder->guests), on_guests, recorder);
    if (!err && cgroup_names__fd(recorder->cgroups) >= 0)
        err = loop__add(recorder->loop, cgroup_names__fd(recorder->cgroups), on_cgroups, recorder);
    return err;
}

int recorder_watch__begin(struct recorder *recorder, struct fault *fault)
{
    int err = loop__new(&recorder->loop);
    recorder->signal_fd = signalfd(-1, &recorder->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (!err)
        err = recorder->signal_fd < 0 ? -errno : loop__add(recorder->loop, recorder->signal_fd, on_signal, recorder);
    if (!err)
        err = watch_records(recorder);
    if (!err)
        err = watch_targets(recorder);
    if (!err)
        err = watch_programs(recorder);
    return err ? fault__set(fault, err, "cannot wait for events: %s", strerror(-err)) : 0;
}

int recorder_watch__start_timers(struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    int err = options->owner ? align_drain(recorder)
                             : loop__add_timer(recorder->loop, options->drain_ns, true, on_drain, recorder);
    if (!err && options->show_status)
        err = loop__add_timer(recorder->loop, 1000000000u, true, on_status, recorder);
    if (!err && options->duration_ns)
        err = loop__add_timer(recorder->loop, options->duration_ns, false, on_end, recorder);
    return err ? fault__set(fault, err, "cannot set a timer: %s", strerror(-err)) : 0;
}
