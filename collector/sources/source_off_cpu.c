#include "collector/sources/source_off_cpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/programs/iterator.h"
#include "collector/sources/hist_event.h"
#include "collector/sources/hist_options.h"
#include "collector/sources/source.h"

static const char *const marks[] = {
#define WAIT_STATE(name, mark) mark,
#include "bpf/wire/wait_states.def"
#undef WAIT_STATE
};

static int parse(struct event *event, struct fault *fault)
{
    (void)fault;
    if (strcmp(event->spelled, "off-cpu") != 0)
        return -ENOENT;
    snprintf(event->detail, sizeof(event->detail), "from switch-out to switch-in");
    return 0;
}

static int configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    int err = loaded__set(loaded, "own_min_ns", &event->min_ns, sizeof(event->min_ns), fault);
    return err ? err : loaded__set(loaded, "own_max_ns", &event->max_ns, sizeof(event->max_ns), fault);
}

int source_off_cpu__begin(const struct bpf_link *iterator, struct fault *fault)
{
    if (iterator__run(iterator, 0, NULL, NULL) == 0)
        return 0;
    return fault__set_code(fault, EXIT_CODE_LACKS, -EIO,
                           "cannot look at the threads that wait already: the kernel's iterator over tasks fails; "
                           "see `hearth doctor`");
}

// A wait that began before the recording is as long as nobody knows: no value of a histogram, and in no bounds above.
static bool counts_early_waits(const struct event *event)
{
    return !event->hist && !event->max_ns;
}

static int attach(struct event *event, const struct target *target, struct fault *fault)
{
    enum { STILL, SWITCH, BEGIN, COUNT };
    static const char *const programs[COUNT] = {
        [STILL] = "waits_still", [SWITCH] = "off_cpu_switch", [BEGIN] = "off_cpu_begin"};
    struct bpf_link *links[COUNT];
    (void)target;
    int err = source__attach_named(event, programs, COUNT, links, fault);
    if (err)
        return err;
    event->prepared = links[STILL];
    return counts_early_waits(event) ? source_off_cpu__begin(links[BEGIN], fault) : 0;
}

// The record is a stack's id.
static int hold_stack(void *drain, const void *record)
{
    return drain__hold(drain, *(const uint64_t *)record);
}

int source_off_cpu__hold_stacks(const struct bpf_link *iterator, struct drain *drain)
{
    int err = drain__hold(drain, WIRE_NO_STACK); // from the first drain on
    return err ? err : iterator__run(iterator, sizeof(uint64_t), hold_stack, drain);
}

int source_off_cpu__settle(struct event *event, struct drain *drain, bool is_last)
{
    (void)is_last;
    if (event->hist && !event->hist->stacks) // a wait is counted at its end, without a stack
        return 0;
    return source_off_cpu__hold_stacks(event->prepared, drain);
}

const char *source_off_cpu__mark(uint32_t detail)
{
    return detail < WIRE_WAIT_STATE_COUNT ? marks[detail] : NULL;
}

const struct source source_off_cpu = {
    .spelling = "off-cpu",
    .summary = "time from leaving the CPU to being back on it, with the stack it was left with",
    .unit = "ns",
    .object = "source_off_cpu",
    .parse = parse,
    .configure = configure,
    .attach = attach,
    .has_early_waits = true,
    .settle = source_off_cpu__settle,
    .mark = source_off_cpu__mark,
};

// --- The same as a histogram

static int parse_hist(struct event *event, struct fault *fault)
{
    int err = parse(event, fault);
    return err ? err : hist_event__check_plain(event, fault);
}

static int configure_hist(struct event *event, struct loaded *loaded, struct fault *fault)
{
    int err = configure(event, loaded, fault);
    return err ? err : hist_event__configure(event, loaded, fault);
}

const struct source source_hist_off_cpu = {
    .spelling = "off-cpu",
    .summary = "how long threads are off the CPU",
    .is_histogram = true,
    .unit = "ns",
    .object = "source_off_cpu",
    .parse = parse_hist,
    .configure = configure_hist,
    .attach = attach,
    .settle = source_off_cpu__settle,
    .mark = source_off_cpu__mark,
};
