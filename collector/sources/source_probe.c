#include "collector/sources/source_probe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "collector/probes/probe_sites.h"
#include "collector/probes/trap.h"
#include "collector/programs/uprobe_multi.h"
#include "collector/sources/source.h"

static int parse(struct event *event, const char *prefix, struct fault *fault)
{
    const char *words = event__behind(event, prefix), *symbol;
    char file[PATH_MAX];
    return words ? probe__split(words, 0, 0, file, &symbol, fault) : -ENOENT;
}

int source_probe__parse_entry(struct event *event, struct fault *fault)
{
    return parse(event, "uprobe:", fault);
}

int source_probe__parse_return(struct event *event, struct fault *fault)
{
    return parse(event, "uretprobe:", fault);
}

uint32_t source_probe__pid(const struct target *target)
{
    return target__is_processes(target) ? target->processes[0].pid : 0;
}

int source_probe__prepare(struct event *event, const struct target *target, struct fault *fault)
{
    char file[PATH_MAX];
    const char *symbol;
    struct probe_sites *sites;
    int err = probe__split(event->words, source_probe__pid(target), 0, file, &symbol, fault);
    if (!err)
        err = probe_sites__find(file, symbol, source_probe__pid(target), fault, &sites);
    if (err)
        return err;
    event->prepared = sites;
    if (sites->count == 1)
        snprintf(event->detail, sizeof(event->detail), "%s of %s", symbol, sites->path);
    else
        snprintf(event->detail, sizeof(event->detail), "%zu functions of %s", sites->count, sites->path);
    return 0;
}

void source_probe__release(struct event *event)
{
    probe_sites__free(event->prepared);
}

int source_probe__configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    (void)event;
    (void)fault;
    if (uprobe_multi__probe() != 0)
        return 0;
    uprobe_multi__prepare(loaded__program(loaded, "sample_probe"), UPROBE_PLAIN);
    uprobe_multi__prepare(loaded__program(loaded, "sample_return"), UPROBE_PLAIN);
    uprobe_multi__prepare(loaded__program(loaded, "trap_nothing"), UPROBE_PLAIN);
    return 0;
}

// Tells what a user would not expect of the probe.
static void describe(struct event *event, const struct probe_sites *sites, size_t refused)
{
    size_t bytes = sizeof(event->note), used = 0;
    const char *what = event->source->places;
    refused += sites->unfit_count;
    if (refused)
        used = (size_t)snprintf(event->note, bytes, "%zu %s probed, %zu more cannot be",
                                sites->count + sites->unfit_count - refused, what, refused);
    else if (sites->count > 1)
        used = (size_t)snprintf(event->note, bytes, "%zu %s probed", sites->count, what);
    if (sites->chosen_count)
        snprintf(event->note + used, bytes - used, "%s%zu of several (IFUNC), as this processor has %s chosen",
                 used ? ", " : "", sites->chosen_count, sites->chosen_count > 1 ? "them" : "it");
}

static int attach(struct event *event, bool at_return, const struct target *target, struct fault *fault)
{
    const struct probe_sites *sites = event->prepared;
    const struct bpf_program *program = loaded__program(event->loaded, at_return ? "sample_return" : "sample_probe");
    size_t refused;
    int err = probe_sites__attach(sites, program, at_return, target, event->loaded, fault, &refused);
    if (!err)
        event->trap = trap__measure(event->loaded, sites, NULL, at_return ? TRAP_RETURN : TRAP_ENTRY);
    if (!err)
        describe(event, sites, refused);
    return err;
}

int source_probe__attach_entry(struct event *event, const struct target *target, struct fault *fault)
{
    return attach(event, false, target, fault);
}

static int attach_return(struct event *event, const struct target *target, struct fault *fault)
{
    return attach(event, true, target, fault);
}

const struct source source_uprobe = {
    .spelling = "uprobe:FILE:SYMBOL[+OFFSET]",
    .summary = "a function of a program or a library is entered, or several by a glob; 0xADDRESS too",
    .places = "functions",
    .unit = "hits",
    .is_probe = true,
    .object = "source_probe",
    .parse = source_probe__parse_entry,
    .prepare = source_probe__prepare,
    .release = source_probe__release,
    .configure = source_probe__configure,
    .attach = source_probe__attach_entry,
};

const struct source source_uretprobe = {
    .spelling = "uretprobe:FILE:SYMBOL",
    .summary = "a function of a program or a library returns",
    .places = "functions",
    .unit = "hits",
    .is_probe = true,
    .object = "source_probe",
    .parse = source_probe__parse_return,
    .prepare = source_probe__prepare,
    .release = source_probe__release,
    .configure = source_probe__configure,
    .attach = attach_return,
};
