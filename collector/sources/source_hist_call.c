// Histograms of uprobe:FILE:SYMBOL, from a function's entry to its return, of its arguments, and of what it returns,
// with the BPF programs of source_hist_call behind them.
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

#include "collector/probes/probe_sites.h"
#include "collector/probes/trap.h"
#include "collector/programs/uprobe_multi.h"
#include "collector/sources/hist_event.h"
#include "collector/sources/source.h"
#include "collector/sources/source_probe.h"

static int prepare(struct event *event, const struct target *target, struct fault *fault)
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

static int parse_entry(struct event *event, struct fault *fault)
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
static int configure(struct event *event, struct loaded *loaded, struct fault *fault)
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

static int attach(struct event *event, const struct target *target, struct fault *fault)
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

const struct source source_hist_uprobe = {
    .spelling = "uprobe:FILE:SYMBOL",
    .summary = "from a function's entry to its return; with --value argN, the values of an argument",
    .is_histogram = true,
    .unit = "ns",
    .is_probe = true,
    .object = "source_hist_call",
    .parse = parse_entry,
    .prepare = prepare,
    .release = source_probe__release,
    .configure = configure,
    .attach = attach,
    .leave = source__count_left,
};

const struct source source_hist_uretprobe = {
    .spelling = "uretprobe:FILE:SYMBOL",
    .summary = "with --value retval, what a function returns",
    .is_histogram = true,
    .unit = "count",
    .is_probe = true,
    .object = "source_hist_call",
    .parse = parse_returned,
    .prepare = prepare,
    .release = source_probe__release,
    .configure = configure,
    .attach = attach,
};
