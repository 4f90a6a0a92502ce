// Histogram of blkio, block I/O from its issue to its completion, with the BPF programs of source_hist_block behind it.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/sources/hist_event.h"
#include "collector/sources/source.h"

static int parse(struct event *event, struct fault *fault)
{
    if (strcmp(event->spelled, "blkio") != 0)
        return -ENOENT;
    snprintf(event->detail, sizeof(event->detail), "from issue to completion");
    return hist_event__check_plain(event, fault);
}

// A request may be under way while the maps are drained: its stack is wanted in the next interval.
static int settle(struct event *event, struct drain *drain, bool is_last)
{
    (void)event;
    (void)is_last;
    return drain__hold(drain, WIRE_NO_STACK);
}

const struct source source_hist_block = {
    .spelling = "blkio",
    .summary = "block I/O, from its issue to the device to its completion",
    .is_histogram = true,
    .unit = "ns",
    .object = "source_hist_block",
    .parse = parse,
    .configure = hist_event__configure,
    .attach = source__attach_programs,
    .settle = settle,
};
