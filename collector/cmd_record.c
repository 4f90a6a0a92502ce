// hearth record: collect events with their stacks, into a store or straight into a report.
#include "collector/cmd_record.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/command_line.h"
#include "collector/programs/feature.h"
#include "collector/session/record_words.h"
#include "collector/session/recorder.h"
#include "collector/sources/sources.h"
#include "report/query/report.h"
#include "store/base/buf.h"
#include "store/base/limits.h"
#include "store/base/options.h"
#include "store/base/safe_text.h"
#include "store/system/temporary_store.h"

static struct record_words options = RECORD_WORDS_DEFAULTS;

// A frame with the share p of n samples has p of the time, give or take sqrt(p (1 - p) / n) of it, twice that in 19
// cases of 20; at most, where p is one half.
static void say_sampling_error(const struct recorder_summary *summary)
{
    double ms = (double)summary->clocked_ns / 1e6, samples = (double)summary->clocked_samples;
    if (!summary->clocked_samples && !summary->unsampled_ns)
        return;
    fault__warn("on the CPU %.1f ms by %.0f samples, a frame's part of it to +-%.1f ms (95 %%); %.1f ms not sampled; "
                "waits are exact",
                ms, samples, samples > 0 ? ms / sqrt(samples) : 0, (double)summary->unsampled_ns / 1e6);
}

static void say_summary(const struct recorder_summary *summary)
{
    char cost[RECORDER_COST_BYTES];
    fault__warn("%llu samples, %llu stacks, %llu lost, %llu truncated; hearth itself took %s",
                (unsigned long long)summary->samples, (unsigned long long)summary->stacks,
                (unsigned long long)summary->lost, (unsigned long long)summary->truncated,
                recorder_summary__cost(summary, cost));
    if (summary->hist_count)
        fault__warn("%llu values in %zu histogram%s, %llu unmatched, %llu lost",
                    (unsigned long long)summary->hist.count, summary->hist_count, summary->hist_count > 1 ? "s" : "",
                    (unsigned long long)summary->hist.unmatched, (unsigned long long)summary->hist.lost);
}

static void say_unnamed_kernel(const struct recorder_summary *summary)
{
    struct fault fault = {0};
    if (summary->samples && feature__require("kernel symbols", &fault) != 0)
        fault__warn("%s", fault.text);
}

static int command_exit_code(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int write_report(const char *store_path, const char *output, const struct recorder_summary *recorded,
                        struct fault *fault)
{
    struct report_request request = {.group = options.threads ? &group_of_threads : NULL};
    struct report_summary summary;
    if (report__is_of_histogram(output) ? recorded->hist.count == 0 : recorded->samples == 0)
        return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "nothing was sampled, so there is no report in '%s'",
                               output);
    int err = report__write(store_path, &request, output, &summary, fault);
    if (!err && summary.others[0])
        fault__warn("'%s' shows %s, but not %s: a store (-o FILE.db) holds all", output, summary.events,
                    summary.others);
    if (!err && summary.losses[0] && !summary.shows_losses)
        fault__warn("lost or cut: %s", summary.losses);
    return err;
}

// The samples must not be gone because the report could not be written. A reader that has closed its pipe wants none.
static void keep_recording(struct temporary_store *store, int err, const struct recorder_summary *summary,
                           struct fault *fault)
{
    if (fault->code == EXIT_CODE_EMPTY || err == -EPIPE || (summary->samples == 0 && summary->hist.count == 0))
        return;
    size_t used = strlen(fault->text);
    snprintf(fault->text + used, sizeof(fault->text) - used, "; the recording is kept in '%s'", store->path);
    temporary_store__keep(store);
}

// The recording, with its summary line whatever came of it, if anything did.
static int record(const struct recorder_options *recorder_options, struct fault *fault,
                  struct recorder_summary *summary)
{
    _cleanup_(recorder__freep) struct recorder *recorder = NULL;
    int err = recorder__new(recorder_options, fault, &recorder);
    if (err)
        return err;
    err = recorder__run(recorder, fault, summary);
    if (err && summary->is_incomplete) { // the rest is worth a report; and a command has its own exit code
        fault__say(fault, err);
        *fault = (struct fault){0};
        err = 0;
    }
    if (!err || summary->samples || summary->hist.count)
        say_summary(summary);
    say_unnamed_kernel(summary);
    say_sampling_error(summary);
    for (size_t i = 0; i < summary->cost_count; i++)
        probe_cost__say(&summary->costs[i]);
    return err;
}

static int check_histograms(bool is_report, struct fault *fault)
{
    if (is_report && options.hist_words.stacks)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--stacks keeps stacks in a store: name one with -o FILE.db");
    if (report__is_of_histogram(options.output) && options.hists.count != 1)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "'%s' shows one histogram: name one with --hist PROBE; a store (-o FILE.db) holds all",
                               options.output);
    return 0;
}

static int check_output(bool is_report, struct fault *fault)
{
    size_t length = strlen(options.output);
    if (is_report)
        return report__check_output(options.output, fault);
    if (strcmp(options.output, "-") == 0 || (length > 3 && strcmp(options.output + length - 3, ".db") == 0))
        return 0;
    return fault__set_code(
        fault, EXIT_CODE_USAGE, -EINVAL,
        "cannot tell what to write to '%s'; a name ending in .db is a store, one in .html, .folded, .txt, "
        "... a report",
        options.output);
}

static void print_events(FILE *file)
{
    fputs("\nEvents of -e (`hearth hist -h` has the probes of --hist):\n", file);
    sources__print(file, false);
}

static int check_options(bool is_report, struct hist_options *ret_hist, struct fault *fault)
{
    int err = check_output(is_report, fault);
    if (!err)
        err = check_histograms(is_report, fault);
    return err ? err : record_words__check(&options, ret_hist, fault);
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    struct hist_options hist = {0};
    _cleanup_free_ struct recorder_event *events = NULL;
    size_t event_count = 0;
    struct recorder_summary summary = {0};
    struct temporary_store temporary = {0};
    _cleanup_(buf__release) struct buf line = {0};
    bool is_report = strcmp(options.output, "-") == 0 || report__is_report(options.output);
    int err = check_options(is_report, &hist, &fault);
    if (!err)
        err = record_words__list_events(&options, &hist, &events, &event_count, &fault);
    if (!err && is_report)
        err = temporary_store__make(&temporary, &fault);
    if (err)
        return fault__say(&fault, err);
    command_line__append(&line);
    struct recorder_options recorder_options = record_words__options(&options, &hist);
    recorder_options.events = events;
    recorder_options.event_count = event_count;
    recorder_options.store_path = is_report ? temporary.path : options.output;
    recorder_options.command_line = line.failed ? "hearth record" : (const char *)line.data;
    recorder_options.show_status = isatty(STDERR_FILENO);
    recorder_options.command = argc ? argv : NULL;
    err = record(&recorder_options, &fault, &summary);
    if (!err && is_report) {
        err = write_report(temporary.path, options.output, &summary, &fault);
        if (err)
            keep_recording(&temporary, err, &summary, &fault);
    }
    temporary_store__remove(&temporary);
    if (err == -EPIPE) // nobody listens any more
        return EXIT_CODE_FAILED;
    enum exit_code code = err ? fault__say(&fault, err) : summary.is_incomplete ? EXIT_CODE_FAILED : EXIT_CODE_DONE;
    if (summary.command_ended && (!err || code == EXIT_CODE_EMPTY))
        return (enum exit_code)command_exit_code(summary.command_status);
    return code;
}

const struct command cmd_record = {
    .name = "record",
    .operands = "[-- COMMAND [ARG...]]",
    .summary = "collect events with their stacks, into a store or straight into a report",
    .details =
        "Without a target every process of the machine is recorded. A COMMAND is recorded with its children, and its\n"
        "exit code is passed on. The recording ends with -d, with the command, or at SIGINT or SIGTERM; then the\n"
        "command gets SIGTERM, and is left running if it goes on.\n"
        "\n"
        "  hearth record -d 10 -o flame.html -p PID     a flame graph of a process\n"
        "  hearth record -- make                        a build with all it starts, into hearth.db\n",
    .print_more = print_events,
    .options = record_word_rows,
    .values = &options,
    .run = run,
};
