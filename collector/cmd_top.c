// hearth top: a live table of functions, processes, units or stacks on the terminal, as `hearth record` would sample.
#include "collector/cmd_top.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "collector/command_line.h"
#include "collector/live_table.h"
#include "collector/session/record_words.h"
#include "report/query/filter.h"
#include "store/base/options.h"

#define DRAIN_NS 1000000000u // how often the table changes

static struct top_options {
    struct record_words record;
    struct stack_filter stacks;
    const char *event;
} options = {.record = RECORD_WORDS_DEFAULTS, .event = "cpu"};

#define AT(member) offsetof(struct top_options, member)
static const struct option_row rows[] = {
    {'e', "event", "EVENT", "the event to sample (cpu)", option__string, AT(event)},
    OPTION_ROWS_OF(target_option_rows, struct top_options, record.target),
    {'F', "freq", "HZ", "samples a second and CPU, of clocks and hardware counters (99)", option__u64,
     AT(record.frequency_hz)},
    {'c', "count", "PERIOD", "a sample each PERIOD events instead of -F", option__u64, AT(record.period)},
    {'d', "duration", "SECONDS", "end after so long", option__seconds_ns, AT(record.duration_ns)},
    {0, "max-cpu", "PCT", "sampling takes at most this share of a CPU: fewer samples are taken, and weigh more (20%)",
     option__share, AT(record.bpf_share)},
    OPTION_ROWS_OF(stack_filter_rows, struct top_options, stacks),
    {0, "no-inline", NULL, "do not look for inlined functions", option__no_flag, AT(record.inlined)},
    {0},
};

static int run_table(char **argv, struct fault *fault, struct recorder_summary *summary)
{
    struct hist_options hist = {0};
    _cleanup_(buf__release) struct buf line = {0};
    const struct recorder_event event = {.spelled = options.event};
    int err = stack_filter__check(&options.stacks, fault);
    if (!err)
        err = record_words__check(&options.record, &hist, fault);
    if (err)
        return err;
    command_line__append(&line);
    struct recorder_options recorder_options = record_words__options(&options.record, &hist);
    recorder_options.events = &event;
    recorder_options.event_count = 1;
    recorder_options.drain_ns = DRAIN_NS;
    recorder_options.command_line = line.failed ? "hearth top" : (const char *)line.data;
    recorder_options.command = argv[0] ? argv : NULL;
    return live_table__run(&recorder_options, &options.stacks, fault, summary);
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    struct recorder_summary summary = {0};
    (void)argc;
    int err = run_table(argv, &fault, &summary);
    if (err)
        return fault__say(&fault, err);
    if (!summary.command_ended)
        return EXIT_CODE_DONE;
    int status = summary.command_status;
    return (enum exit_code)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

const struct command cmd_top = {
    .name = "top",
    .operands = "[-- COMMAND [ARG...]]",
    .summary = "live in the terminal: functions, processes, units, stacks",
    .details =
        "The table shows the last ten seconds (+ and - change that), a line of losses above it. The keys 1 to 4 show "
        "it\n"
        "by function, process, unit and stack; < and > change the order, / filters, Space freezes, Enter shows the\n"
        "calls below the chosen row, h tells all keys, q ends. Nothing is kept; `hearth record` keeps.\n"
        "\n"
        "A COMMAND is sampled with its children, without a terminal: it reads and writes /dev/null.\n",
    .options = rows,
    .values = &options,
    .run = run,
};
