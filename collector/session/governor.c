#include "collector/session/governor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collector/programs/shared_array.h"
#include "collector/session/pace.h"
#include "store/base/clock.h"

// bpf_meter__ns() stands still for up to 400 ms and then goes on by as much: only over several ticks is it a share.
enum { TICK_MS = 500, EXACT_TICKS = 8, LINE_BYTES = 320 };

struct governor {
    const struct event *events;
    size_t cpu_count;
    struct pace paces[WIRE_EVENTS_MAX];
    double share;
    uint32_t halvings;                       // of all events, besides those of their paces
    uint32_t said_halvings[WIRE_EVENTS_MAX]; // of the paces
    struct wire_control *control;            // shared with the programs
    int tallies_fd, timer_fd;
    struct wire_tally *tallies; // by CPU, as they are now
    uint64_t *busy_ns, *seen_ns;
    uint64_t looked_ns;                  // CLOCK_MONOTONIC
    uint64_t bpf_ns;                     // of all programs, until then
    uint64_t exact_ns, exact_elapsed_ns; // of programs that count every hit, in so many ticks
    uint32_t exact_ticks;
    bool has_exact, has_said_exact;
};

static int start_timer(struct governor *governor)
{
    struct timespec period = {.tv_nsec = TICK_MS * 1000000};
    struct itimerspec setting = {.it_value = period, .it_interval = period};
    governor->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return governor->timer_fd < 0 || timerfd_settime(governor->timer_fd, 0, &setting, NULL) != 0 ? -errno : 0;
}

static int set_up(struct governor *governor, const struct loader *loader, struct fault *fault)
{
    size_t cells = governor->cpu_count * WIRE_EVENTS_MAX;
    governor->tallies = calloc(governor->cpu_count, sizeof(*governor->tallies));
    governor->busy_ns = calloc(cells, sizeof(*governor->busy_ns));
    governor->seen_ns = calloc(cells, sizeof(*governor->seen_ns));
    if (!governor->tallies || !governor->busy_ns || !governor->seen_ns)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = shared_array__control(loader, fault, &governor->control);
    if (err)
        return err;
    governor->tallies_fd = loader__map_fd(loader, "tallies");
    err = start_timer(governor);
    return err ? fault__set(fault, err, "cannot set a timer: %s", strerror(-err)) : 0;
}

int governor__new(const struct loader *loader, const struct event *events, size_t event_count, double share,
                  struct fault *fault, struct governor **ret_governor)
{
    _cleanup_(governor__freep) struct governor *governor = calloc(1, sizeof(*governor));
    if (!governor)
        return fault__set(fault, -ENOMEM, "out of memory");
    governor->timer_fd = -1;
    governor->events = events;
    governor->cpu_count = (size_t)libbpf_num_possible_cpus();
    governor->share = share;
    governor->looked_ns = clock__ns(CLOCK_MONOTONIC);
    int err = set_up(governor, loader, fault);
    if (err)
        return err;
    for (size_t i = 0; i < event_count; i++)
        governor__set_event(governor, i);
    *ret_governor = take_pointer(governor);
    return 0;
}

void governor__free(struct governor *governor)
{
    if (!governor)
        return;
    shared_array__unmap(governor->control, sizeof(*governor->control));
    fd__close(&governor->timer_fd);
    free(governor->tallies);
    free(governor->busy_ns);
    free(governor->seen_ns);
    free(governor);
}

void governor__set_event(struct governor *governor, size_t index)
{
    const struct event *event = &governor->events[index];
    governor->paces[index] = (struct pace){.is_fixed = event->hist != NULL};
    governor->said_halvings[index] = 0;
    __atomic_store_n(&governor->control->halvings[index], 0, __ATOMIC_RELAXED);
    governor->has_exact = false;
    for (size_t i = 0; i < WIRE_EVENTS_MAX; i++) {
        event = &governor->events[i];
        governor->has_exact = governor->has_exact || event->hist || (event->source && event->source->is_clocked);
    }
}

double governor__share(const struct governor *governor)
{
    return governor->share;
}

void governor__set_share(struct governor *governor, double share)
{
    governor->share = share;
}

void governor__set_halvings(struct governor *governor, uint32_t halvings)
{
    governor->halvings = halvings;
}

int governor__fd(const struct governor *governor)
{
    return governor->timer_fd;
}

// Reads how long each event's programs ran on each CPU since the last call. Returns the sum.
static uint64_t read_tallies(struct governor *governor)
{
    uint32_t zero = 0;
    uint64_t sum_ns = 0;
    if (bpf_map_lookup_elem(governor->tallies_fd, &zero, governor->tallies) != 0)
        return 0;
    for (size_t cpu = 0; cpu < governor->cpu_count; cpu++)
        for (size_t i = 0; i < WIRE_EVENTS_MAX; i++) {
            size_t place = cpu * WIRE_EVENTS_MAX + i;
            uint64_t now_ns = governor->tallies[cpu].events[i].busy_ns;
            governor->busy_ns[place] = now_ns - governor->seen_ns[place];
            governor->seen_ns[place] = now_ns;
            sum_ns += governor->busy_ns[place];
        }
    return sum_ns;
}

static uint32_t halvings_of(const struct governor *governor, size_t event)
{
    uint32_t own = governor->paces[event].halvings;
    if (!governor->events[event].source || governor->paces[event].is_fixed)
        return own;
    return own + governor->halvings < WIRE_HALVINGS_MOST ? own + governor->halvings : WIRE_HALVINGS_MOST;
}

uint32_t governor__halvings(const struct governor *governor, size_t index)
{
    return halvings_of(governor, index);
}

static const char *unit_of(const struct event *event)
{
    return event->source->is_sampled || event->source->is_clocked ? "sample" : "hit";
}

static void word_change(const struct governor *governor, size_t event, const struct pace_load *load, size_t cpu,
                        char line[LINE_BYTES])
{
    const char *unit = unit_of(&governor->events[event]), *spelled = governor->events[event].spelled;
    unsigned long of = 1ul << halvings_of(governor, event);
    char weight[64] = "stands for the time since its thread's last one";
    if (!governor->events[event].source->is_clocked)
        snprintf(weight, sizeof(weight), "counts for %lu", of);
    if (!governor->paces[event].was_raised)
        snprintf(line, LINE_BYTES,
                 "%s: sampling took %.3g %% of CPU %zu, more than %.3g %% (--max-cpu): from now on one %s in %lu is "
                 "taken, and %s",
                 spelled, 100 * pace__share(load, cpu), cpu, 100 * load->share, unit, of, weight);
    else if (of > 1)
        snprintf(line, LINE_BYTES, "%s: sampling takes less of each CPU: from now on one %s in %lu is taken, and %s",
                 spelled, unit, of, weight);
    else
        snprintf(line, LINE_BYTES, "%s: sampling takes less of each CPU: from now on each %s is taken", spelled, unit);
}

static void judge(struct governor *governor, const struct pace_load *load, say_fn *say, void *context)
{
    uint8_t *told = governor->control->halvings;
    char line[LINE_BYTES];
    size_t worst = pace__judge(governor->paces, load);
    for (size_t i = 0; i < WIRE_EVENTS_MAX; i++) {
        if (halvings_of(governor, i) != told[i])
            __atomic_store_n(&told[i], (uint8_t)halvings_of(governor, i), __ATOMIC_RELAXED);
        if (governor->paces[i].halvings == governor->said_halvings[i])
            continue;
        governor->said_halvings[i] = governor->paces[i].halvings;
        word_change(governor, i, load, worst, line);
        say(context, line);
    }
}

// Says once that programs which count every hit take more than the share of a CPU, all CPUs together.
static void judge_exact(struct governor *governor, uint64_t exact_ns, const struct pace_load *load, say_fn *say,
                        void *context)
{
    char line[LINE_BYTES];
    governor->exact_ns += exact_ns;
    governor->exact_elapsed_ns += load->elapsed_ns;
    if (++governor->exact_ticks < EXACT_TICKS)
        return;
    double share = (double)governor->exact_ns / (double)governor->exact_elapsed_ns;
    governor->exact_ns = governor->exact_elapsed_ns = governor->exact_ticks = 0;
    if (!governor->has_exact || governor->has_said_exact || share <= load->share)
        return;
    governor->has_said_exact = true;
    snprintf(line, LINE_BYTES,
             "programs that count every single hit, wait or call take %.3g %% of one CPU together, and go on, since no "
             "hit may be "
             "left out; with a target (-p PID) or a rarer event they take less",
             100 * share);
    say(context, line);
}

void governor__tick(struct governor *governor, uint64_t bpf_ns, say_fn *say, void *context)
{
    uint64_t ignored, now_ns = clock__ns(CLOCK_MONOTONIC), all_ns = bpf_ns - governor->bpf_ns;
    if (read(governor->timer_fd, &ignored, sizeof(ignored)) != sizeof(ignored))
        return;
    struct pace_load load = {.busy_ns = governor->busy_ns,
                             .cpu_count = governor->cpu_count,
                             .event_count = WIRE_EVENTS_MAX,
                             .elapsed_ns = now_ns - governor->looked_ns,
                             .share = governor->share};
    uint64_t sampling_ns = read_tallies(governor);
    governor->looked_ns = now_ns;
    governor->bpf_ns = bpf_ns;
    judge(governor, &load, say, context);
    judge_exact(governor, all_ns > sampling_ns ? all_ns - sampling_ns : 0, &load, say, context);
}
