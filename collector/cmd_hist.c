// hearth hist: latency and value histograms, counted in the kernel, shown live, stored, with the stacks behind every
// bucket where they are asked for.
#include "collector/cmd_hist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/command_line.h"
#include "collector/session/recorder.h"
#include "collector/sources/sources.h"
#include "report/histograms/histogram_view.h"
#include "report/text/output.h"
#include "store/base/buf.h"
#include "store/base/limits.h"
#include "store/base/options.h"
#include "store/base/safe_text.h"
#include "store/system/temporary_store.h"

static struct hist_command_options {
    struct target_options target;
    struct hist_words words;
    const char *format, *output;
    uint64_t duration_ns, refresh_ns, min_wait_ns, max_wait_ns;
} options;

static const struct option_row hist_rows[] = {HIST_OPTION_ROWS(""), {0}};

static const struct option_row rows[] = {
    OPTION_ROWS_OF(target_option_rows, struct hist_command_options, target),
    {'d', "duration", "SECONDS", "end after so long", option__seconds_ns,
     offsetof(struct hist_command_options, duration_ns)},
    {'i', "interval", "SECONDS", "show what there is so often, on a terminal", option__seconds_ns,
     offsetof(struct hist_command_options, refresh_ns)},
    OPTION_ROWS_OF(hist_rows, struct hist_command_options, words),
    {0, "min-block", "SECONDS", "off-cpu counts only waits of at least this time", option__seconds_ns,
     offsetof(struct hist_command_options, min_wait_ns)},
    {0, "max-block", "SECONDS", "off-cpu counts only waits of at most this time", option__seconds_ns,
     offsetof(struct hist_command_options, max_wait_ns)},
    {'f', "format", "FORMAT", "text, json, svg or html; else as FILE's name ends, else text", option__string,
     offsetof(struct hist_command_options, format)},
    {'o', "output", "FILE", "a store (.db), or the picture itself (.txt .json .svg .html)", option__string,
     offsetof(struct hist_command_options, output)},
    {0},
};

// --- Showing

static const struct format {
    const char *name, *suffix;
    int (*put)(const struct histogram_view *view, FILE *file);
} formats[] = {
    {"text", ".txt", histogram_view__put_text},
    {"json", ".json", histogram_view__put_json},
    {"svg", ".svg", histogram_view__put_svg},
    {"html", ".html", histogram_view__put_html},
};
#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static const struct format *find_format(void)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (options.format ? strcmp(options.format, formats[i].name) == 0
                           : options.output && ends_in(options.output, formats[i].suffix))
            return &formats[i];
    return options.format ? NULL : &formats[0];
}

struct view {
    const struct format *format;
    const char *path; // of the picture; "-": stdout
    bool is_live;     // on a terminal, shown again and again
    int err;
    struct fault fault;
};

static void show(const struct histogram_list *list, bool is_last, void *context)
{
    struct view *view = context;
    struct output *output;
    const struct histogram_view shown = {.list = list};
    if (!is_last) {
        if (view->is_live) {
            fputs("\033[H\033[2J", stdout);
            histogram_view__put_text(&shown, stdout);
            fflush(stdout);
        }
        return;
    }
    if (view->is_live)
        fputs("\033[H\033[2J", stdout);
    view->err = output__open(view->path, &view->fault, &output);
    if (view->err)
        return;
    view->err = view->format->put(&shown, output__file(output));
    if (view->err) {
        output__free(output);
        return;
    }
    view->err = output__commit(output, &view->fault);
}

static void say_summary(const struct recorder_summary *summary)
{
    char cost[RECORDER_COST_BYTES];
    fault__warn("%llu values, %llu unmatched, %llu lost; hearth itself took %s",
                (unsigned long long)summary->hist.count, (unsigned long long)summary->hist.unmatched,
                (unsigned long long)summary->hist.lost, recorder_summary__cost(summary, cost));
    for (size_t i = 0; i < summary->cost_count; i++)
        probe_cost__say(&summary->costs[i]);
}

// --- What was asked for

static int parse_options(struct hist_options *hist, struct fault *fault)
{
    if (options.words.stacks && !(options.output && ends_in(options.output, ".db")))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--stacks keeps stacks in a store: name one with -o FILE.db");
    return hist_options__parse(&options.words, hist, fault);
}

static bool is_probe(const char *word)
{
    for (const struct source *const *source = sources; *source; source++) {
        const char *spelling = (*source)->spelling;
        size_t prefix = strcspn(spelling, ":");
        if ((*source)->is_histogram && strncmp(spelling, word, prefix) == 0 && word[prefix] == spelling[prefix])
            return true;
    }
    return false;
}

// The words up to the first that is no probe are probes, and what follows is the command. The first is always one.
static int count_probes(int argc, char **argv)
{
    int count = argc > 0;
    while (count < argc && is_probe(argv[count]))
        count++;
    return count;
}

// Without -o FILE.db the recording has a store that nobody sees.
static int choose_store(struct temporary_store *temporary, const char **ret_path, struct fault *fault)
{
    if (options.output && ends_in(options.output, ".db")) {
        *ret_path = options.output;
        return 0;
    }
    *ret_path = temporary->path;
    return temporary_store__make(temporary, fault);
}

static int record(const struct recorder_options *recorder_options, struct view *view, struct fault *fault,
                  struct recorder_summary *summary)
{
    _cleanup_(recorder__freep) struct recorder *recorder = NULL;
    int err = recorder__new(recorder_options, fault, &recorder);
    if (err)
        return err;
    err = recorder__run(recorder, fault, summary);
    if (err && summary->is_incomplete) { // the counts are shown; and a command has its own exit code
        fault__say(fault, err);
        *fault = (struct fault){0};
        err = 0;
    }
    say_summary(summary);
    if (!err && view->err) {
        *fault = view->fault;
        err = view->err;
    }
    return err;
}

static struct recorder_event *list_events(int probe_count, char **argv, const struct hist_options *hist)
{
    struct recorder_event *events = calloc((size_t)probe_count, sizeof(*events));
    for (int i = 0; events && i < probe_count; i++)
        events[i] = (struct recorder_event){.spelled = argv[i], .hist = hist};
    return events;
}

static int run_probes(int probe_count, char **argv, struct fault *fault, struct recorder_summary *summary)
{
    struct hist_options hist = {0};
    _cleanup_(buf__release) struct buf line = {0};
    struct temporary_store temporary = {0};
    const char *store;
    _cleanup_free_ struct recorder_event *events = list_events(probe_count, argv, &hist);
    struct view view = {.format = find_format(), .path = "-"};
    if (!view.format)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "unknown format '%s'; text, json, svg and html are known", options.format);
    int err = events ? parse_options(&hist, fault) : fault__set(fault, -ENOMEM, "out of memory");
    if (!err)
        err = choose_store(&temporary, &store, fault);
    if (err)
        return err;
    if (options.output && temporary.folder[0])
        view.path = options.output;
    view.is_live = options.refresh_ns && isatty(STDOUT_FILENO);
    command_line__append(&line);
    struct recorder_options recorder_options = {
        .events = events,
        .event_count = (size_t)probe_count,
        .min_wait_ns = options.min_wait_ns,
        .max_wait_ns = options.max_wait_ns,
        .keep_threads = hist.by == WIRE_HIST_BY_TID,
        .show = show,
        .show_context = &view,
        .bpf_share = LIMIT_BPF_SHARE,
        .drain_ns = options.refresh_ns ? options.refresh_ns : 5000000000u,
        .duration_ns = options.duration_ns,
        .store_path = store,
        .command_line = line.failed ? "hearth hist" : (const char *)line.data,
        .target = &options.target,
        .command = argv[probe_count] ? argv + probe_count : NULL,
    };
    err = record(&recorder_options, &view, fault, summary);
    temporary_store__remove(&temporary);
    return err;
}

static void print_probes(FILE *file)
{
    fputs("\nprobes:\n", file);
    sources__print(file, true);
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    struct recorder_summary summary = {0};
    int probe_count = count_probes(argc, argv);
    if (!probe_count) {
        fault__warn("a histogram of what? `hearth hist -h` lists the probes");
        return EXIT_CODE_USAGE;
    }
    int err = run_probes(probe_count, argv, &fault, &summary);
    if (err == -EPIPE) // nobody listens any more
        return EXIT_CODE_FAILED;
    if (err)
        return fault__say(&fault, err);
    if (!summary.command_ended)
        return summary.is_incomplete ? EXIT_CODE_FAILED : EXIT_CODE_DONE;
    int status = summary.command_status;
    return (enum exit_code)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

const struct command cmd_hist = {
    .name = "hist",
    .operands = "PROBE... [-- PROGRAM [ARG...]]",
    .summary = "count latencies and values in histograms, with the stacks behind every bucket",
    .details = "A percentile is the end of the bucket it lies in: never too low, and at most 12.5 % too high.\n"
               "\n"
               "The stack of a call, with --stacks, is the one it returns from, the function on top; of two USDT "
               "probes, that of\n"
               "the second; of a wait (off-cpu, runq), the one its thread left the CPU with, and will go on with; of "
               "block I/O,\n"
               "that of its issue. A stored range is shown again by `hearth report -f hist`.\n",
    .print_more = print_probes,
    .options = rows,
    .values = &options,
    .run = run,
};
