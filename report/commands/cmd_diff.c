// `hearth diff BEFORE AFTER`: two ranges, processes or stores against each other. A side is a store, or what it has of
// its own, in words of the filters:
//
//   $ hearth diff since=-2h,until=-1h since=-1h --comm nginx
//   $ hearth diff monday.db tuesday.db -o change.html
#include "report/commands/cmd_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/formats.h"
#include "report/query/filter.h"
#include "report/query/incident.h"
#include "report/query/report.h"
#include "store/base/cleanup.h"

#define SECOND_NS 1000000000ull

static struct diff_options {
    const char *store, *format, *output;
    const struct group *by;
    uint64_t incident; // 0: none is meant
    struct filter filter;
} options;

struct side {
    const char *name;
    char *words; // a copy that the filter borrows from
    const char *store;
    struct filter filter;
    struct report_request request;
    bool has_pids, has_tids; // its own, not those of both sides
};

static void side__release(struct side *side)
{
    if (side->has_pids)
        free(side->filter.pids.ids);
    if (side->has_tids)
        free(side->filter.tids.ids);
    free(side->words);
}

// Ids that a side names replace those of both sides.
static int add_ids(const char *text, struct id_list *list, bool *is_own, struct fault *fault)
{
    if (!*is_own)
        *list = (struct id_list){0};
    *is_own = true;
    return filter__ids(text, list, fault);
}

static int set_word(struct side *side, const char *key, const char *value, struct fault *fault)
{
    const struct {
        const char *key;
        const char **target;
    } words[] = {
        {"store", &side->store},        {"event", &side->filter.event},
        {"since", &side->filter.since}, {"until", &side->filter.until},
        {"comm", &side->filter.comm},   {"cgroup", &side->filter.cgroup},
        {"uid", &side->filter.uid},     {"bucket", &side->filter.bucket},
        {"unit", &side->filter.unit},   {"container", &side->filter.container},
        {"pod", &side->filter.pod},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].key, key) == 0) {
            *words[i].target = value;
            return 0;
        }
    if (strcmp(key, "pid") == 0)
        return add_ids(value, &side->filter.pids, &side->has_pids, fault);
    if (strcmp(key, "tid") == 0)
        return add_ids(value, &side->filter.tids, &side->has_tids, fault);
    return fault__set_code(
        fault, EXIT_CODE_USAGE, -EINVAL,
        "unknown word '%s' in '%s'; a side is a store or KEY=VALUE[,KEY=VALUE...] with store, event, "
        "since, until, pid, tid, comm, cgroup, unit, container, pod, uid, bucket",
        key, side->name);
}

static int parse_side(const char *name, struct side *side, struct fault *fault)
{
    *side = (struct side){.name = name, .store = options.store, .filter = options.filter, .words = strdup(name)};
    if (!side->words)
        return -ENOMEM;
    if (!strchr(name, '=')) {
        side->store = name;
        return 0;
    }
    for (char *rest = side->words, *key; (key = strsep(&rest, ","));) {
        char *value = strchr(key, '=');
        if (value)
            *value++ = '\0';
        int err = set_word(side, key, value ? value : "", fault);
        if (err)
            return fault->code ? err : fault__set_code(fault, EXIT_CODE_USAGE, err, "bad side '%s'", name);
    }
    return 0;
}

static int request_side(struct side *side, struct fault *fault)
{
    int err = filter__request(&side->filter, fault, &side->request);
    side->request.format = options.format;
    side->request.by = options.by;
    side->request.title = side->name;
    return err;
}

static int compare(char **names, struct report_summary *summary, struct fault *fault)
{
    _cleanup_(side__release) struct side before = {0};
    _cleanup_(side__release) struct side after = {0};
    int err = parse_side(names[0], &before, fault);
    if (!err)
        err = parse_side(names[1], &after, fault);
    if (!err)
        err = request_side(&before, fault);
    if (!err)
        err = request_side(&after, fault);
    return err ? err
               : report__compare(filter__store(before.store), &before.request, filter__store(after.store),
                                 &after.request, options.output ? options.output : "-", summary, fault);
}

// Both sides of an incident are ranges of the same store.
static int compare_incident(struct report_summary *summary, struct fault *fault)
{
    static const char *const befores[] = {"the hour before", "the same hour of the day before"};
    char before[64], after[64], *names[] = {before, after};
    static struct incident incident;
    struct incident_range range;
    bool is_day_before;
    const char *store = filter__store(options.store);
    int err = incident__find(store, options.incident, fault, &incident);
    if (!err)
        err = incident__before(store, &incident, fault, &range, &is_day_before);
    if (err)
        return err;
    fault__warn("incident %" PRIu64 " against %s", options.incident, befores[is_day_before]);
    snprintf(before, sizeof(before), "since=@%llu,until=@%llu", range.since_ns / SECOND_NS, range.until_ns / SECOND_NS);
    snprintf(after, sizeof(after), "since=@%llu,until=@%llu", incident.range.since_ns / SECOND_NS,
             incident.range.until_ns / SECOND_NS + 1);
    return compare(names, summary, fault);
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    struct report_summary summary;
    if (argc != (options.incident ? 0 : 2)) {
        fault__warn("diff takes two sides, BEFORE and AFTER; `hearth diff -h` tells more");
        return EXIT_CODE_USAGE;
    }
    int err = options.incident ? compare_incident(&summary, &fault) : compare(argv, &summary, &fault);
    if (err)
        return fault__say(&fault, err);
    if (summary.lacks_lines)
        fault__warn("part of that range is kept by function: its addresses and lines are not known any more");
    if (*summary.losses && !summary.shows_losses)
        fault__warn("lost in the second range: %s; `hearth stat` tells more", summary.losses);
    return EXIT_CODE_DONE;
}

static void print_formats(FILE *file)
{
    fprintf(file, "\nformats:\n");
    for (size_t i = 0; formats[i]; i++)
        if (formats[i]->compares)
            fprintf(file, "  %-10s %s\n", formats[i]->name, formats[i]->summary);
}

static const struct option_row rows[] = {
    {0, "incident", "N",
     "in place of two sides: of `hearth list incidents`, against the same hour of the day before, else the hour before",
     option__u64, offsetof(struct diff_options, incident)},
    {'i', "input", "STORE", "the store of each side that names none (./hearth.db, else the daemon's)", option__string,
     offsetof(struct diff_options, store)},
    {'f', "format", "FORMAT", "the format (as FILE is named, else top)", option__string,
     offsetof(struct diff_options, format)},
    {'o', "output", "FILE", "the file to write, - for stdout (stdout)", option__string,
     offsetof(struct diff_options, output)},
    {0, "by", "KEY", "of hist: a histogram for each KEY of --group-by, where stacks were kept", group__option,
     offsetof(struct diff_options, by)},
    OPTION_ROWS_OF(filter_rows, struct diff_options, filter),
    {0},
};

const struct command cmd_diff = {
    .name = "diff",
    .operands = "BEFORE AFTER",
    .summary = "compare two ranges, processes or stores",
    .details =
        "A side is a store, or KEY=VALUE[,KEY=VALUE...] with store, event, since, until, pid, tid, comm, cgroup,\n"
        "unit, container, pod, uid, bucket; the options hold for both sides. Shares of the two are compared, so that\n"
        "ranges of different lengths can be. P is the probability of such a change by chance, adjusted for the number\n"
        "of functions.\n\n"
        "  hearth diff since=-2h,until=-1h since=-1h --comm nginx\n"
        "  hearth diff monday.db tuesday.db -o change.html\n"
        "  hearth diff pid=812 pid=977 -f top\n",
    .print_more = print_formats,
    .options = rows,
    .values = &options,
    .run = run,
};
