// Histograms of syscall:NAME and syscall:*, with the BPF programs of source_hist_syscall behind them.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/probes/syscall_names.h"
#include "collector/sources/hist_event.h"
#include "collector/sources/source.h"

static int parse(struct event *event, struct fault *fault)
{
    const char *name = event__behind(event, "syscall:");
    uint32_t number = 0;
    if (!name)
        return -ENOENT;
    event->hist_groups = strcmp(name, "*") == 0;
    if (!event->hist_groups && syscall_name__find(name, &number) != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no system call '%s'; syscall:* has all of them", name);
    event->hist_group = number;
    snprintf(event->detail, sizeof(event->detail), "from entry to exit");
    return hist_event__check_plain(event, fault);
}

const struct source source_hist_syscall = {
    .spelling = "syscall:NAME",
    .summary = "how long a system call takes; syscall:* has a histogram for each",
    .is_histogram = true,
    .unit = "ns",
    .is_probe = true,
    .object = "source_hist_syscall",
    .parse = parse,
    .configure = hist_event__configure,
    .attach = source__attach_programs,
    .name_group = syscall_name__of,
    .leave = source__count_left,
};
