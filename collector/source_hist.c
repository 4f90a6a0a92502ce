#include "collector/source_hist.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/probe_sites.h"
#include "collector/source_fentry.h"
#include "collector/source_hist_usdt.h"
#include "collector/source_off_cpu.h"
#include "collector/source_probe.h"
#include "collector/syscall_names.h"
#include "collector/trap.h"
#include "collector/uprobe_multi.h"

int hist_event__misplaced(const struct event *event, const char *option, struct fault *fault)
{
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s means nothing for '%s'", option, event->spelled);
}

// --- Common to all

int hist_event__configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    const struct hist_options *options = event->hist;
    struct wire_hist_config config = {
        .by = (uint8_t)options->by,
        .by_argument = options->by_argument,
        .argument = options->argument,
        .bytes = options->bytes,
        .is_signed = options->is_signed,
        .by_key = options->has_key,
        .stacks = options->stacks,
        .is_on = 1,
        .group = (uint32_t)event->perf_config,
        .all_groups = event->hist_groups,
        .by_bytes = options->by_bytes,
        .by_is_signed = options->by_is_signed,
        .has_type = options->has_type,
        .by_has_type = options->by_has_type,
        .number = event->hist_number,
    };
    return loaded__set(loaded, "own_hist", &config, sizeof(config), fault);
}

// A probe whose arguments the kernel side cannot see.
static int check_plain(const struct event *event, struct fault *fault)
{
    if (event->hist->has_value)
        return hist_event__misplaced(event, "--value", fault);
    if (event->hist->has_key)
        return hist_event__misplaced(event, "--key", fault);
    return event->hist->by == WIRE_HIST_BY_ARGUMENT ? hist_event__misplaced(event, "--by argN", fault) : 0;
}

// --- Functions of programs

static int prepare_call(struct event *event, const struct target *target, struct fault *fault)
{
    const struct hist_options *options = event->hist;
    bool needs_arguments =
        options->by == WIRE_HIST_BY_ARGUMENT || (options->has_value && options->argument != WIRE_HIST_RETURNED);
    int err = source_probe__prepare(event, target, fault);
    if (err || !needs_arguments)
        return err;
    const struct probe_sites *sites = event->prepared;
    if (!sites->argument_hazard)
        return 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "cannot read the arguments of %s in '%s': %s", sites->name,
                           sites->path, sites->argument_hazard);
}

static int parse_call(struct event *event, struct fault *fault)
{
    int err = source_probe__parse_entry(event, fault);
    if (err)
        return err;
    if (event->hist->has_key)
        return hist_event__misplaced(event, "--key", fault);
    if (event->hist->has_value && event->hist->argument == WIRE_HIST_RETURNED)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "what a function returns is there at its return: "
                               "uretprobe:FILE:SYMBOL --value retval");
    event->unit = event->hist->has_value ? "count" : "ns";
    return 0;
}

static int parse_returned(struct event *event, struct fault *fault)
{
    int err = source_probe__parse_return(event, fault);
    if (err)
        return err;
    if (!event->hist->has_value || event->hist->argument != WIRE_HIST_RETURNED)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "a histogram of '%s' needs --value retval; uprobe:FILE:SYMBOL gives the time it takes",
                               event->spelled);
    if (event->hist->by == WIRE_HIST_BY_ARGUMENT)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "'%s' has no arguments any more when it returns: --by argN is for uprobe:FILE:SYMBOL",
                               event->spelled);
    event->unit = "count";
    return 0;
}

// Of the object's programs only those that the event needs are loaded.
static int configure_call(struct event *event, struct loaded *loaded, struct fault *fault)
{
    bool has_sessions = uprobe_multi__probe() == 0, has_value = event->hist->has_value;
    const struct {
        const char *name;
        bool is_needed;
        enum uprobe_kind kind;
    } programs[] = {
        {"hist_value", has_value, UPROBE_PLAIN},
        {"hist_session", !has_value && has_sessions, UPROBE_SESSION},
        {"hist_entry", !has_value && !has_sessions, UPROBE_PLAIN},
        {"hist_return", !has_value && !has_sessions, UPROBE_PLAIN},
        {"trap_nothing", true, has_value ? UPROBE_PLAIN : UPROBE_SESSION},
    };
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        struct bpf_program *program = loaded__program(loaded, programs[i].name);
        bpf_program__set_autoload(program, programs[i].is_needed);
        if (programs[i].is_needed && has_sessions)
            uprobe_multi__prepare(program, programs[i].kind);
    }
    source__choose_left(loaded, !has_value);
    return hist_event__configure(event, loaded, fault);
}

// At the return first: a return without a call that was seen is passed over as long as its thread has none.
static int attach_pair(const struct probe_sites *sites, const struct target *target, struct loaded *loaded,
                       struct fault *fault, size_t *ret_refused)
{
    size_t more;
    int err =
        probe_sites__attach(sites, loaded__program(loaded, "hist_return"), true, target, loaded, fault, ret_refused);
    return err ? err
               : probe_sites__attach(sites, loaded__program(loaded, "hist_entry"), false, target, loaded, fault, &more);
}

static int attach_value(const struct event *event, const struct target *target, struct fault *fault,
                        size_t *ret_refused)
{
    return probe_sites__attach(event->prepared, loaded__program(event->loaded, "hist_value"),
                               event->hist->argument == WIRE_HIST_RETURNED, target, event->loaded, fault, ret_refused);
}

static enum trap_place trap_place(const struct event *event)
{
    return event->is_call ? TRAP_BOTH : event->hist->argument == WIRE_HIST_RETURNED ? TRAP_RETURN : TRAP_ENTRY;
}

static int attach_call(struct event *event, const struct target *target, struct fault *fault)
{
    const struct probe_sites *sites = event->prepared;
    struct loaded *loaded = event->loaded;
    size_t refused;
    int err;
    event->is_call = !event->hist->has_value;
    if (!event->is_call)
        err = attach_value(event, target, fault, &refused);
    else if (uprobe_multi__probe() == 0)
        err =
            probe_sites__attach(sites, loaded__program(loaded, "hist_session"), false, target, loaded, fault, &refused);
    else
        err = attach_pair(sites, target, loaded, fault, &refused);
    if (!err && event->is_call)
        err = source__watch_exits(event, fault);
    if (err)
        return err;
    event->trap = trap__measure(loaded, sites, NULL, trap_place(event));
    if (sites->count > 1 || refused)
        snprintf(event->note, sizeof(event->note), "%zu functions probed, %zu refused by the kernel",
                 sites->count - refused, refused);
    return 0;
}

// --- The kernel

static int parse_fentry(struct event *event, struct fault *fault)
{
    int err = source_fentry__parse(event, fault);
    return err ? err : check_plain(event, fault);
}

static int configure_fentry(struct event *event, struct loaded *loaded, struct fault *fault)
{
    int err = source_fentry__configure(event, loaded, fault);
    return err ? err : hist_event__configure(event, loaded, fault);
}

static int parse_syscall(struct event *event, struct fault *fault)
{
    const char *name = event__behind(event, "syscall:");
    uint32_t number = 0;
    if (!name)
        return -ENOENT;
    event->hist_groups = strcmp(name, "*") == 0;
    if (!event->hist_groups && syscall_name__find(name, &number) != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no system call '%s'; syscall:* has all of them", name);
    event->perf_config = number;
    snprintf(event->detail, sizeof(event->detail), "from entry to exit");
    return check_plain(event, fault);
}

static int parse_runq(struct event *event, struct fault *fault)
{
    if (strcmp(event->spelled, "runq") != 0)
        return -ENOENT;
    snprintf(event->detail, sizeof(event->detail), "from woken or preempted to running");
    return check_plain(event, fault);
}

static int parse_off_cpu(struct event *event, struct fault *fault)
{
    int err = source_off_cpu__parse(event, fault);
    return err ? err : check_plain(event, fault);
}

static int configure_off_cpu(struct event *event, struct loaded *loaded, struct fault *fault)
{
    int err = source_off_cpu__configure(event, loaded, fault);
    return err ? err : hist_event__configure(event, loaded, fault);
}

static int parse_blkio(struct event *event, struct fault *fault)
{
    if (strcmp(event->spelled, "blkio") != 0)
        return -ENOENT;
    snprintf(event->detail, sizeof(event->detail), "from issue to completion");
    return check_plain(event, fault);
}

// A request may be under way while the maps are drained: its stack is wanted in the next interval.
static int settle_blkio(struct event *event, struct drain *drain, bool is_last)
{
    (void)event;
    (void)is_last;
    return drain__hold(drain, WIRE_NO_STACK);
}

const struct source hist_sources[] = {
    {
        .spelling = "uprobe:FILE:SYMBOL",
        .summary = "from a function's entry to its return; with --value argN, the values of an argument",
        .unit = "ns",
        .is_probe = true,
        .object = "source_hist_call",
        .parse = parse_call,
        .prepare = prepare_call,
        .release = source_probe__release,
        .configure = configure_call,
        .attach = attach_call,
        .leave = source__count_left,
    },
    {
        .spelling = "uretprobe:FILE:SYMBOL",
        .summary = "with --value retval, what a function returns",
        .unit = "count",
        .is_probe = true,
        .object = "source_hist_call",
        .parse = parse_returned,
        .prepare = prepare_call,
        .release = source_probe__release,
        .configure = configure_call,
        .attach = attach_call,
    },
    {
        .spelling = "usdt:FILE:PROVIDER:START,END",
        .summary = "from one USDT probe to another, per thread or by --key argN; or one and --value argN",
        .unit = "ns",
        .is_probe = true,
        .object = "source_hist_usdt",
        .parse = source_hist_usdt__parse,
        .prepare = source_hist_usdt__prepare,
        .release = source_hist_usdt__release,
        .configure = source_hist_usdt__configure,
        .attach = source_hist_usdt__attach,
        .leave = source__count_left,
    },
    {
        .spelling = "fentry:FUNCTION",
        .summary = "from the entry of a function of the kernel to its return",
        .unit = "ns",
        .is_probe = true,
        .object = "source_hist_fcall",
        .parse = parse_fentry,
        .prepare = source_fentry__prepare,
        .configure = configure_fentry,
        .attach = source__attach_programs,
        .leave = source__count_left,
    },
    {
        .spelling = "syscall:NAME",
        .summary = "how long a system call takes; syscall:* has a histogram for each",
        .unit = "ns",
        .is_probe = true,
        .object = "source_hist_syscall",
        .parse = parse_syscall,
        .configure = hist_event__configure,
        .attach = source__attach_programs,
        .leave = source__count_left,
    },
    {
        .spelling = "runq",
        .summary = "how long threads wait for a CPU; with --stacks, where they left it and will go on",
        .unit = "ns",
        .object = "source_hist_runq",
        .parse = parse_runq,
        .configure = hist_event__configure,
        .attach = source__attach_programs,
        .settle = source_off_cpu__settle,
        .mark = source_off_cpu__mark,
    },
    {
        .spelling = "off-cpu",
        .summary = "how long threads are off the CPU",
        .unit = "ns",
        .object = "source_off_cpu",
        .parse = parse_off_cpu,
        .configure = configure_off_cpu,
        .attach = source_off_cpu__attach,
        .settle = source_off_cpu__settle,
        .mark = source_off_cpu__mark,
    },
    {
        .spelling = "blkio",
        .summary = "block I/O, from its issue to the device to its completion",
        .unit = "ns",
        .object = "source_hist_block",
        .parse = parse_blkio,
        .configure = hist_event__configure,
        .attach = source__attach_programs,
        .settle = settle_blkio,
    },
    {0},
};
