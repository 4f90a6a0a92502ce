// wall: the time of each thread, on the CPU and off it.
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/programs/iterator.h"
#include "collector/sources/source.h"
#include "collector/sources/source_off_cpu.h"
#include "collector/sources/source_perf.h"

enum { BEGIN, STILL, END, SWITCH, LINK_COUNT };

static const char *const programs[LINK_COUNT] = {
    [BEGIN] = "wall_begin", [STILL] = "waits_still", [END] = "wall_end", [SWITCH] = "wall_switch"};

struct wall {
    struct bpf_link *links[LINK_COUNT]; // of iterators; kept by the loaded object
};

static int parse(struct event *event, struct fault *fault)
{
    if (strcmp(event->spelled, "wall") != 0)
        return -ENOENT;
    // The clock, never cycles: values are times.
    event->perf_type = PERF_TYPE_SOFTWARE;
    event->perf_config = PERF_COUNT_SW_CPU_CLOCK;
    if (!event->frequency_hz)
        snprintf(event->detail, sizeof(event->detail), "cpu-clock every %llu ns, and switches",
                 (unsigned long long)event->period);
    else
        snprintf(event->detail, sizeof(event->detail), "cpu-clock at %llu Hz, and switches",
                 (unsigned long long)event->frequency_hz);
    struct wall *wall = event->prepared = calloc(1, sizeof(*wall));
    return wall ? 0 : fault__set(fault, -ENOMEM, "out of memory");
}

static void release(struct event *event)
{
    free(event->prepared);
}

static int attach(struct event *event, const struct target *target, struct fault *fault)
{
    struct wall *wall = event->prepared;
    int err = source__attach_named(event, programs, LINK_COUNT, wall->links, fault);
    if (!err)
        err = source_perf__attach(event, target, fault);
    return err ? err : source_off_cpu__begin(wall->links[BEGIN], fault);
}

static int settle(struct event *event, struct drain *drain, bool is_last)
{
    const struct wall *wall = event->prepared;
    int err = source_off_cpu__hold_stacks(wall->links[STILL], drain);
    if (!err && is_last)
        err = iterator__run(wall->links[END], 0, NULL, NULL);
    return err;
}

const struct source source_wall = {
    .spelling = "wall",
    .summary = "the time of each thread, on the CPU and off it",
    .unit = "ns",
    .object = "source_wall",
    .parse = parse,
    .release = release,
    .attach = attach,
    .follow_cpus = source_perf__follow_cpus,
    .has_early_waits = true,
    .settle = settle,
    .is_clocked = true,
    .mark = source_off_cpu__mark,
};
