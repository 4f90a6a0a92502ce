// Histogram of runq, how long threads wait for a CPU, with the BPF programs of source_hist_runq behind it.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/sources/hist_event.h"
#include "collector/sources/source.h"
#include "collector/sources/source_off_cpu.h"

static int parse(struct event *event, struct fault *fault)
{
    if (strcmp(event->spelled, "runq") != 0)
        return -ENOENT;
    snprintf(event->detail, sizeof(event->detail), "from woken or preempted to running");
    return hist_event__check_plain(event, fault);
}

const struct source source_hist_runq = {
    .spelling = "runq",
    .summary = "how long threads wait for a CPU; with --stacks, where they left it and will go on",
    .is_histogram = true,
    .unit = "ns",
    .object = "source_hist_runq",
    .parse = parse,
    .configure = hist_event__configure,
    .attach = source__attach_programs,
    .settle = source_off_cpu__settle,
    .mark = source_off_cpu__mark,
};
