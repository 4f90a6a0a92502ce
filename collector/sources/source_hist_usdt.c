// Histograms of usdt:FILE:PROVIDER:START,END, and of usdt:FILE:PROVIDER:NAME --value argN: uprobes at the places of the
// probes, with the BPF programs of source_hist_usdt. Of a probe's arguments only those that are asked for are read, so
// that the others may be in forms that nobody knows.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/probes/probe_sites.h"
#include "collector/probes/trap.h"
#include "collector/probes/usdt_sites.h"
#include "collector/programs/uprobe_multi.h"
#include "collector/sources/hist_event.h"
#include "collector/sources/source.h"
#include "collector/sources/source_probe.h"
#include "collector/sources/source_usdt.h"
#include "store/base/limits.h"
#include "symbolizer/arch/usdt_argument.h"

_Static_assert(2 * LIMIT_PROBE_SITES <= WIRE_USDT_PLACES_MAX, "each place has a cookie");

struct usdt_pair {
    struct probe_sites *start, *end; // end is NULL where a value is counted
    struct wire_usdt_place *places;  // by cookie: those of the start, then those of the end
    uint32_t place_count;
};

static int parse(struct event *event, struct fault *fault)
{
    int err = source_usdt__parse(event, fault);
    if (err)
        return err;
    const char *probe = strrchr(event->words, ':') + 1;
    bool is_pair = strchr(probe, ',') != NULL;
    if (event->hist->has_value && event->hist->argument == WIRE_HIST_RETURNED)
        return hist_event__misplaced(event, "retval", fault);
    if (is_pair && event->hist->has_value)
        return hist_event__misplaced(event, "--value", fault);
    if (!is_pair && !event->hist->has_value)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "'%s' is one probe: name two, START,END, or what of it to count with --value argN",
                               event->spelled);
    if (!is_pair && event->hist->has_key)
        return hist_event__misplaced(event, "--key", fault);
    event->unit = is_pair ? "ns" : "count";
    return 0;
}

// --- Arguments

static int read_argument(const struct probe_sites *sites, const struct probe_site *site, unsigned number,
                         struct wire_usdt_argument *ret_argument, struct fault *fault)
{
    struct usdt_argument argument;
    const char *words;
    size_t bytes;
    int err = usdt_argument__parse(site->arguments ? site->arguments : "", number, &argument, &words, &bytes);
    if (err == -ENOENT)
        return fault__set(fault, err, "the USDT probe %s of '%s' has no arg%u; its arguments are '%s'", sites->name,
                          sites->path, number, site->arguments ? site->arguments : "");
    if (err)
        return fault__set(fault, err,
                          "cannot read arg%u of the USDT probe %s of '%s': it is '%.*s', neither a register nor a "
                          "constant, nor memory that one points at",
                          number, sites->name, sites->path, (int)bytes, words);
    *ret_argument = (struct wire_usdt_argument){
        .offset = argument.offset,
        .base = argument.base,
        .index = argument.index,
        .shift = argument.shift,
        .bytes = argument.bytes,
        .is_signed = argument.is_signed,
        .is_memory = argument.is_memory,
    };
    return 0;
}

// Gives the places their cookies, and reads there what the event asks for. The end of a pair needs no more than its
// key.
static int add_places(struct event *event, struct usdt_pair *pair, struct probe_sites *sites, struct fault *fault)
{
    const struct hist_options *options = event->hist;
    int err = 0;
    bool needs_by = options->by == WIRE_HIST_BY_ARGUMENT && sites == pair->start;
    for (size_t i = 0; i < sites->count && !err; i++) {
        struct probe_site *site = &sites->rows[i];
        struct wire_usdt_place *place = &pair->places[pair->place_count];
        site->cookie = pair->place_count++;
        if (options->has_value || options->has_key)
            err = read_argument(sites, site, options->argument, &place->value, fault);
        if (!err && needs_by)
            err = read_argument(sites, site, options->by_argument, &place->by, fault);
        event->by_is_signed = event->by_is_signed || place->by.is_signed;
    }
    return err;
}

static int read_places(struct event *event, struct usdt_pair *pair, struct fault *fault)
{
    size_t count = pair->start->count + (pair->end ? pair->end->count : 0);
    pair->places = calloc(count, sizeof(*pair->places));
    if (!pair->places)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = add_places(event, pair, pair->start, fault);
    return err || !pair->end ? err : add_places(event, pair, pair->end, fault);
}

// --- Probes

static int prepare(struct event *event, const struct target *target, struct fault *fault)
{
    char file[PATH_MAX], probe[256];
    const char *words;
    size_t unused;
    int err = probe__split(event->words, source_probe__pid(target), 1, file, &words, fault);
    if (err)
        return err;
    struct usdt_pair *pair = event->prepared = calloc(1, sizeof(*pair));
    if (!pair)
        return fault__set(fault, -ENOMEM, "out of memory");
    size_t provider_bytes = strcspn(words, ":") + 1, first_bytes = strcspn(words, ",");
    snprintf(probe, sizeof(probe), "%.*s", (int)first_bytes, words);
    err = usdt_sites__find(file, probe, source_probe__pid(target), fault, &pair->start, &unused);
    if (!err && words[first_bytes]) {
        snprintf(probe, sizeof(probe), "%.*s%s", (int)provider_bytes, words, words + first_bytes + 1);
        err = usdt_sites__find(file, probe, source_probe__pid(target), fault, &pair->end, &unused);
    }
    return err ? err : read_places(event, pair, fault);
}

static void release(struct event *event)
{
    struct usdt_pair *pair = event->prepared;
    if (!pair)
        return;
    probe_sites__free(pair->start);
    probe_sites__free(pair->end);
    free(pair->places);
    free(pair);
}

static int configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    static const char *const programs[] = {"hist_usdt_start", "hist_usdt_end", "hist_usdt_value", "trap_nothing"};
    for (size_t i = 0; uprobe_multi__probe() == 0 && i < sizeof(programs) / sizeof(programs[0]); i++)
        uprobe_multi__prepare(loaded__program(loaded, programs[i]), UPROBE_PLAIN);
    const struct usdt_pair *pair = event->prepared;
    source__choose_left(loaded, pair->end != NULL);
    return hist_event__configure(event, loaded, fault);
}

static int publish_places(const struct usdt_pair *pair, const struct loaded *loaded, struct fault *fault)
{
    int fd = bpf_object__find_map_fd_by_name(loaded__object(loaded), "own_places");
    for (uint32_t i = 0; i < pair->place_count; i++) {
        int err = bpf_map_update_elem(fd, &i, &pair->places[i], BPF_ANY);
        if (err)
            return fault__set(fault, err, "cannot tell the kernel where arguments are: %s", strerror(-err));
    }
    return 0;
}

// The start first: what starts before its end is probed is not counted, and what ends without a start is unmatched.
static int attach(struct event *event, const struct target *target, struct fault *fault)
{
    const struct usdt_pair *pair = event->prepared;
    struct loaded *loaded = event->loaded;
    const char *start = pair->end ? "hist_usdt_start" : "hist_usdt_value";
    size_t refused, more = 0;
    int err = publish_places(pair, loaded, fault);
    if (!err)
        err = probe_sites__attach(pair->start, loaded__program(loaded, start), false, target, loaded, fault, &refused);
    if (!err && pair->end)
        err = probe_sites__attach(pair->end, loaded__program(loaded, "hist_usdt_end"), false, target, loaded, fault,
                                  &more);
    if (!err && pair->end)
        err = source__watch_exits(event, fault);
    if (err)
        return err;
    event->trap = trap__measure(loaded, pair->start, pair->end, TRAP_ENTRY);
    event->is_pair = pair->end != NULL;
    if (refused + more)
        snprintf(event->note, sizeof(event->note), "%zu of %u places refused by the kernel", refused + more,
                 pair->place_count);
    return 0;
}

const struct source source_hist_usdt = {
    .spelling = "usdt:FILE:PROVIDER:START,END",
    .summary = "from one USDT probe to another, per thread or by --key argN; or one and --value argN",
    .is_histogram = true,
    .unit = "ns",
    .is_probe = true,
    .object = "source_hist_usdt",
    .parse = parse,
    .prepare = prepare,
    .release = release,
    .configure = configure,
    .attach = attach,
    .leave = source__count_left,
};
