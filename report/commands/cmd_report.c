// `hearth report`: a picture or a table of what a store holds.
#include "report/commands/cmd_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/formats/formats.h"
#include "report/query/filter.h"
#include "report/query/incident.h"
#include "report/query/report.h"

static struct report_options {
    const char *store, *format, *output, *sources;
    const struct group *by;
    struct filter filter;
    uint64_t incident; // 0: none is meant
} options;

static const struct option_row rows[] = {
    {'i', "input", "STORE", "the store to read (./hearth.db, else the daemon's)", option__string,
     offsetof(struct report_options, store)},
    {'f', "format", "FORMAT", "the format (as FILE is named, else top)", option__string,
     offsetof(struct report_options, format)},
    {'o', "output", "FILE", "the file to write, - for stdout (stdout)", option__string,
     offsetof(struct report_options, output)},
    {0, "by", "KEY", "of hist: a histogram for each KEY of --group-by, where stacks were kept", group__option,
     offsetof(struct report_options, by)},
    {0, "source", "DIR", "of -f source: look for source files below DIR, not where debug information says",
     option__string, offsetof(struct report_options, sources)},
    {0, "incident", "N", "of `hearth list incidents`: what was recorded of it, else the store at that time",
     option__u64, offsetof(struct report_options, incident)},
    OPTION_ROWS_OF(filter_rows, struct report_options, filter),
    {0},
};

static void print_formats(FILE *file)
{
    fprintf(file, "\nformats, and the names of files that mean them:\n");
    for (size_t i = 0; formats[i]; i++) {
        fprintf(file, "  %-10s %s (", formats[i]->name, formats[i]->summary);
        for (const char *const *suffix = formats[i]->suffixes; *suffix; suffix++)
            fprintf(file, "%s%s", suffix == formats[i]->suffixes ? "" : " ", *suffix);
        fprintf(file, ")\n");
    }
}

// The store that was recorded of the incident, or the range of this one.
static int choose_incident(const char **store, struct report_request *request, struct fault *fault)
{
    static struct incident incident;
    int err = incident__find(*store, options.incident, fault, &incident);
    if (err)
        return err;
    if (*incident.recording) {
        *store = incident.recording;
        return 0;
    }
    fault__warn("of incident %" PRIu64 " nothing else was recorded, or it is gone: this is the store at that time",
                options.incident);
    request->since_ns = incident.range.since_ns;
    request->until_ns = incident.range.until_ns;
    return 0;
}

static bool is_source(void)
{
    return options.format && strcmp(options.format, "source") == 0;
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    const char *function = is_source() && argc > 0 ? argv[0] : NULL;
    if (function)
        argc--, argv++;
    if (argc > 1 || (argc == 1 && options.store)) {
        fault__warn("unexpected operand '%s'; `hearth report -h` tells more", argv[argc - 1]);
        return EXIT_CODE_USAGE;
    }
    const char *store = filter__store(argc ? argv[0] : options.store);
    struct report_request request;
    struct report_summary summary;
    int err = filter__request(&options.filter, &fault, &request);
    if (!err && options.incident)
        err = choose_incident(&store, &request, &fault);
    if (!err) {
        request.format = options.format;
        request.by = options.by;
        request.function = function;
        request.sources = options.sources;
        err = report__write(store, &request, options.output ? options.output : "-", &summary, &fault);
    }
    if (err)
        return fault__say(&fault, err);
    if (*summary.others)
        fault__warn("this is %s; the store holds %s too: choose with -e", summary.events, summary.others);
    if (*summary.buckets)
        fault__warn("values are kept by bucket: --bucket %s gives those of %s", options.filter.bucket, summary.buckets);
    if (summary.lacks_lines)
        fault__warn("part of that range is kept by function: its addresses and lines are not known any more");
    if (*summary.losses && !summary.shows_losses)
        fault__warn("lost in that range: %s; `hearth stat` tells more", summary.losses);
    return EXIT_CODE_DONE;
}

const struct command cmd_report = {
    .name = "report",
    .operands = "[-f source FUNCTION] [STORE]",
    .summary = "ask a store for a picture or a table",
    .details =
        "STORE may be a profile of another tool: folded stacks, pprof, the text of perf script, or speedscope's;\n"
        "- is the standard input.\n\n"
        "-f source FUNCTION shows the lines of a function with their samples. Of their text, only what every user may "
        "read is shown,\n"
        "and what is the caller's own: debug information names files, and may be anybody's. --source DIR is read "
        "whatever its modes.\n\n"
        "The counts of every format add up to the samples of the range. Times are journalctl's: -1h, 12:30, "
        "yesterday,\n"
        "2026-11-21 12:30, @UNIX; relative ones are relative to now.\n",
    .print_more = print_formats,
    .options = rows,
    .values = &options,
    .run = run,
};
