#include "collector/daemon/daemon_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/daemon/conf.h"
#include "collector/daemon/metrics.h"
#include "collector/daemon/rule.h"
#include "store/system/control_client.h"

// A production host bears these always.
const struct daemon_words daemon_defaults = {
    .record = {.bpf_share = LIMIT_DAEMON_BPF_SHARE,
               .drain_ns = 10000000000u,
               .output = DAEMON_DIRECTORY,
               .inlined = true},
    .keep_bytes = LIMIT_STORE_DIRECTORY_BYTES,
};

static int parse_bytes_a_min(const char *text, void *target, struct fault *fault)
{
    char bytes[32];
    size_t length = strlen(text);
    if (length > 4 && strcmp(text + length - 4, "/min") == 0)
        length -= 4;
    if (length >= sizeof(bytes))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "'%s' is no size a minute: 1M/min", text);
    memcpy(bytes, text, length);
    bytes[length] = '\0';
    return option__bytes(bytes, target, fault);
}

#define AT(member) offsetof(struct daemon_words, member)
static const struct option_row file_rows[] = {
    {0, "keep-bytes", "BYTES", "the most that the directory may take on the disk: 500M, 2G (2G); the oldest goes first",
     option__bytes, AT(keep_bytes)},
    {0, "max-memory", "BYTES",
     "the most that hearth may take, its BPF maps included: 64M (no bound); rates are halved, then events dropped",
     option__bytes, AT(memory_bytes)},
    {0, "max-write", "BYTES/min", "the most that may be written a minute: 1M/min (no bound); the same steps",
     parse_bytes_a_min, AT(written_bytes_a_min)},
    {0, "drop", "EVENT",
     "an event or histogram that a budget may drop, the first one first (hists, then events, the last one first; one "
     "stays)",
     option__list, AT(drop)},
    {0, "when", "RULE",
     "while a condition holds, record more: 'cpu of unit nginx > 150% for 30s: -F 499 -e off-cpu -d 60'; of unit, "
     "comm, "
     "cgroup, container, pid, user; 'p99 of runq > 20ms', 'memory pressure > 10%'",
     option__list, AT(when)},
    {0, "control", "SOCKET",
     "where the running daemon is asked (" CONTROL_SOCKET "; DIRECTORY/" CONTROL_SOCKET_NAME " where -o is given)",
     option__string, AT(control)},
    {0, "metrics", "ADDRESS",
     "where Prometheus finds /metrics, and profilers /debug/pprof/: '9464', which is 127.0.0.1:9464, or an address and "
     "a port (nowhere)",
     option__string, AT(metrics)},
    // The same options have other defaults in a recording without an end. These rows stand before those of record.
    {'e', "event", "EVENT", "an event to sample (cpu, and --hist off-cpu and runq); may be given several times",
     option__list, AT(record.events)},
    {'F', "freq", "HZ", "samples a second and CPU, of clocks and hardware counters (19)", option__u64,
     AT(record.frequency_hz)},
    {0, "max-cpu", "PCT",
     "BPF programs take at most this share of each CPU, and hearth that of all CPUs: else fewer samples, then fewer "
     "events (1%)",
     option__share, AT(record.bpf_share)},
    {'i', "interval", "SECONDS", "how often the kernel's maps are drained (10)", option__seconds_ns,
     AT(record.drain_ns)},
    {'o', "output", "DIRECTORY", "the directory of stores (" DAEMON_DIRECTORY ")", option__string, AT(record.output)},
    OPTION_ROWS_OF(record_word_rows, struct daemon_words, record),
    {0},
};

const struct option_row daemon_word_rows[] = {
    {'c', "config", "FILE", "the file of options (" DAEMON_CONF ", if it is there)", option__string, AT(conf)},
    {0, "ask", "WORDS", "ask the running daemon: 'record -p PID -F 999 -d 30' beside its own recording, or 'stat'",
     option__string, AT(ask)},
    {.rows = file_rows},
    {0},
};

static int read_file(struct daemon_words *words, const char *path, struct fault *fault)
{
    if (!path && access(DAEMON_CONF, F_OK) != 0)
        return 0;
    return conf__read(&words->file, path ? path : DAEMON_CONF, file_rows, words, fault);
}

// The name of the file is an option too: it is looked for first, in a set of words of its own.
static int find_file(int argc, char **argv, const char **ret_path, bool *ret_is_placed, struct fault *fault)
{
    struct daemon_words first = daemon_defaults;
    int operands;
    int err = options__parse(daemon_word_rows, &first, false, argc, argv, fault, &operands);
    *ret_path = first.conf;
    *ret_is_placed = first.record.output != daemon_defaults.record.output;
    if (!err && operands)
        err = fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unexpected operand '%s'; `hearth daemon -h` tells more",
                              argv[0]);
    options__release(daemon_word_rows, &first);
    return err;
}

static void add_default_events(struct record_words *record)
{
    static const char *const hists[] = {"off-cpu", "runq"};
    if (record->events.count || record->hists.count)
        return;
    for (size_t i = 0; i < sizeof(hists) / sizeof(hists[0]); i++)
        option__list(hists[i], &record->hists, NULL);
}

// Of an event that no recording can have, its line is named, where it has one.
static int check_event(const struct daemon_words *words, const struct recorder_event *event, struct fault *fault)
{
    struct fault why = {0};
    int err = recorder__check_event(event, &why);
    unsigned line = conf__line(&words->file, event->spelled);
    if (!err)
        return 0;
    if (!line)
        return fault__set_code(fault, why.code, err, "%s", why.text);
    return fault__set_code(fault, why.code, err, "%s:%u: %s", words->conf ? words->conf : DAEMON_CONF, line, why.text);
}

static bool is_named(const struct option_list *list, const char *spelled, size_t count)
{
    for (size_t i = 0; i < count && i < list->count; i++)
        if (strcmp(list->values[i], spelled) == 0)
            return true;
    return false;
}

static int check_drop(const struct daemon_words *words, const struct recorder_event *events, size_t count,
                      struct fault *fault)
{
    for (size_t i = 0; i < words->drop.count; i++) {
        const char *name = words->drop.values[i];
        unsigned line = conf__line(&words->file, name);
        size_t at = 0;
        while (at < count && strcmp(events[at].spelled, name) != 0)
            at++;
        if (at < count)
            continue;
        if (!line)
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no event or hist is '%s', which --drop names",
                                   name);
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s:%u: no event or hist is '%s', which drop names",
                               words->conf ? words->conf : DAEMON_CONF, line, name);
    }
    return 0;
}

static bool is_recorded(const struct recorder_event *events, size_t count, const char *spelled, bool is_hist)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(events[i].spelled, spelled) == 0 && !events[i].hist == !is_hist)
            return true;
    return false;
}

static int check_rule(const char *text, const struct recorder_event *events, size_t count, struct fault *fault)
{
    struct rule rule;
    int err = rule__parse(text, &rule, fault);
    if (!err && rule.kind == RULE_P99 && !is_recorded(events, count, rule.name, true))
        err = fault__set(fault, -EINVAL, "when = %s: no hist is '%s'", text, rule.name);
    if (!err && rule.kind == RULE_CPU && !is_recorded(events, count, "cpu", false))
        err = fault__set(fault, -EINVAL, "when = %s: the event cpu is not recorded", text);
    return err;
}

static int check_rules(const struct daemon_words *words, const struct recorder_event *events, size_t count,
                       struct fault *fault)
{
    for (size_t i = 0; i < words->when.count; i++) {
        struct fault why = {0};
        unsigned line = conf__line(&words->file, words->when.values[i]);
        int err = check_rule(words->when.values[i], events, count, &why);
        if (err && line)
            return fault__set_code(fault, EXIT_CODE_USAGE, err, "%s:%u: %s", words->conf ? words->conf : DAEMON_CONF,
                                   line, why.text);
        if (err)
            return fault__set_code(fault, EXIT_CODE_USAGE, err, "%s", why.text);
    }
    return 0;
}

static int check_metrics(const struct daemon_words *words, struct fault *fault)
{
    struct fault why = {0};
    int err = words->metrics ? metrics__check_address(words->metrics, &why) : 0;
    unsigned line = err ? conf__line(&words->file, words->metrics) : 0;
    if (err && line)
        return fault__set_code(fault, EXIT_CODE_USAGE, err, "%s:%u: %s", words->conf ? words->conf : DAEMON_CONF, line,
                               why.text);
    return err ? fault__set_code(fault, EXIT_CODE_USAGE, err, "%s", why.text) : 0;
}

static int check(const struct daemon_words *words, struct fault *fault)
{
    struct hist_options hist = {0};
    _cleanup_free_ struct recorder_event *events = NULL;
    size_t count = 0;
    int err = record_words__check(&words->record, &hist, fault);
    if (!err)
        err = record_words__list_events(&words->record, &hist, &events, &count, fault);
    for (size_t i = 0; i < count && !err; i++)
        err = check_event(words, &events[i], fault);
    if (!err)
        err = check_rules(words, events, count, fault);
    if (!err)
        err = check_metrics(words, fault);
    return err ? err : check_drop(words, events, count, fault);
}

uint32_t daemon_words__optional(const struct daemon_words *words)
{
    size_t events = words->record.events.count ? words->record.events.count : 1; // cpu
    return (uint32_t)(words->drop.count ? words->drop.count : events + words->record.hists.count - 1);
}

int daemon_words__list_events(const struct daemon_words *words, const struct hist_options *hist, uint32_t dropped,
                              struct recorder_event **ret_events, size_t *ret_count, struct fault *fault)
{
    struct recorder_event *events;
    size_t count, kept = 0;
    int err = record_words__list_events(&words->record, hist, &events, &count, fault);
    if (err)
        return err;
    size_t first = words->drop.count || dropped >= count ? count : count - dropped; // of those dropped, by their place
    for (size_t i = 0; i < count; i++)
        if (i < first && !is_named(&words->drop, events[i].spelled, dropped))
            events[kept++] = events[i];
    *ret_events = events;
    *ret_count = kept ? kept : 1; // the first one still stands there
    return 0;
}

struct comparison {
    const struct daemon_words *words, *others;
    const char *name; // found
};

static bool is_fixed(const struct option_row *row, size_t offset, void *context)
{
    static const char *const free_ones[] = {"keep-bytes", "max-cpu", "max-memory", "max-write",
                                            "drop",       "when",    "control",    "metrics"};
    struct comparison *comparison = context;
    for (size_t i = 0; i < sizeof(free_ones) / sizeof(free_ones[0]); i++)
        if (strcmp(row->name, free_ones[i]) == 0)
            return false;
    comparison->name = row->name;
    return options__differ(row, offset, comparison->words, comparison->others);
}

const char *daemon_words__fixed(const struct daemon_words *words, const struct daemon_words *others)
{
    struct comparison comparison = {.words = words, .others = others};
    if (words->record.unwind != others->record.unwind)
        return "unwind";
    return options__visit(file_rows, is_fixed, &comparison) ? comparison.name : NULL;
}

int daemon_words__read(struct daemon_words *words, int argc, char **argv, struct fault *fault)
{
    const char *path;
    int operands;
    *words = daemon_defaults;
    int err = find_file(argc, argv, &path, &words->is_placed, fault);
    if (!err)
        err = read_file(words, path, fault);
    if (!err)
        err = options__parse(daemon_word_rows, words, false, argc, argv, fault, &operands);
    if (!words->record.frequency_hz && !words->record.period)
        words->record.frequency_hz = DAEMON_FREQUENCY_HZ;
    add_default_events(&words->record);
    if (!err)
        err = check(words, fault);
    if (err)
        daemon_words__release(words);
    return err;
}

void daemon_words__socket(const struct daemon_words *words, char ret_path[PATH_MAX])
{
    if (words->control || !words->is_placed)
        snprintf(ret_path, PATH_MAX, "%s", words->control ? words->control : CONTROL_SOCKET);
    else
        snprintf(ret_path, PATH_MAX, "%s/" CONTROL_SOCKET_NAME, words->record.output);
}

void daemon_words__release(struct daemon_words *words)
{
    options__release(daemon_word_rows, words);
    conf__release(&words->file);
}
