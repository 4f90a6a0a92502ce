#include "collector/daemon/watch.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/programs/drain.h"
#include "store/base/bucket.h"
#include "store/base/clock.h"
#include "store/owner.h"

// The amount that a rule looks at, in the interval, and who had most of it.
struct finding {
    double value;       // percent, or ns
    char culprit[512];  // "": everybody
    const char *option; // of `record`, by which that one alone is recorded; NULL: there is none
    char target[512];   // its argument
};

// CPU time by process, of those that match.
struct share {
    uint32_t tgid;
    uint64_t ns;
};
enum { SHARES = 256 }; // with more processes than that, the culprit is one of the first

static void go_on(struct rule *rule, const struct watch *before)
{
    for (size_t i = 0; i < before->count; i++)
        if (strcmp(before->rules[i].text, rule->text) == 0) {
            rule->since_ns = before->rules[i].since_ns;
            rule->fired_ns = before->rules[i].fired_ns;
        }
}

int watch__read(struct watch *watch, const struct option_list *rules, struct fault *fault)
{
    struct rule *read = calloc(rules->count + 1, sizeof(*read));
    int err = read ? 0 : fault__set(fault, -ENOMEM, "out of memory");
    for (size_t i = 0; i < rules->count && !err; i++) {
        err = rule__parse(rules->values[i], &read[i], fault);
        go_on(&read[i], watch);
    }
    if (err) {
        free(read);
        return err;
    }
    free(watch->rules);
    watch->rules = read;
    watch->count = rules->count;
    return 0;
}

void watch__release(struct watch *watch)
{
    free(watch->rules);
    *watch = (struct watch){0};
}

static bool matches(const struct rule *rule, const struct recorder_drained *drained, const struct wire_count_key *key)
{
    char path[512], comm[WIRE_COMM_BYTES + 1] = "";
    struct owner owner;
    memcpy(comm, key->comm, WIRE_COMM_BYTES);
    if (rule->who == RULE_COMM)
        return fnmatch(rule->name, comm, 0) == 0;
    if (rule->who == RULE_PID || rule->who == RULE_USER)
        return (rule->who == RULE_PID ? key->tgid : key->uid) == rule->id;
    if (recorder__cgroup(drained->recorder, key->cgroup, path, sizeof(path)) != 0)
        return false;
    if (rule->who == RULE_CGROUP)
        return fnmatch(rule->name, path, 0) == 0;
    owner__of(path, &owner);
    return rule->who == RULE_UNIT ? owner__is_unit(&owner, rule->name) : owner__is_container(&owner, rule->name);
}

static void blame_process(const struct wire_count_key *key, struct finding *finding)
{
    snprintf(finding->culprit, sizeof(finding->culprit), "%u %.*s", key->tgid, WIRE_COMM_BYTES, key->comm);
    snprintf(finding->target, sizeof(finding->target), "%u", key->tgid);
    finding->option = "-p";
}

static void blame(struct finding *finding, const char *option, const char *name)
{
    snprintf(finding->culprit, sizeof(finding->culprit), "%s", name);
    snprintf(finding->target, sizeof(finding->target), "%s", name);
    finding->option = option;
}

// The process, or its control group where the rule is about such.
static void blame_owner(const struct rule *rule, const struct recorder_drained *drained,
                        const struct wire_count_key *key, struct finding *finding)
{
    char path[512];
    bool by_cgroup = rule->who == RULE_UNIT || rule->who == RULE_CGROUP || rule->who == RULE_CONTAINER;
    if (by_cgroup && recorder__cgroup(drained->recorder, key->cgroup, path, sizeof(path)) == 0 && *path == '/')
        blame(finding, "-G", path);
    else
        blame_process(key, finding);
}

static uint64_t add_share(struct share shares[SHARES], uint32_t tgid, uint64_t ns)
{
    for (size_t i = 0; i < SHARES; i++)
        if (!shares[i].tgid || shares[i].tgid == tgid) {
            shares[i].tgid = tgid;
            return shares[i].ns += ns;
        }
    return 0;
}

static void find_cpu(const struct rule *rule, const struct recorder_drained *drained, struct finding *finding)
{
    struct share shares[SHARES] = {0};
    uint64_t sum_ns = 0, most_ns = 0, length_ns = drained->interval->end_ns - drained->interval->start_ns;
    for (size_t i = 0; i < drained->count_of_counts; i++) {
        const struct drained_count *count = &drained->counts[i];
        const struct event *event = &drained->events[count->key.event % WIRE_EVENTS_MAX];
        if (!event->source || event->hist || strcmp(event->spelled, "cpu") != 0 || !matches(rule, drained, &count->key))
            continue;
        uint64_t ns = count->count.samples * event->store_period, own_ns = add_share(shares, count->key.tgid, ns);
        sum_ns += ns;
        if (own_ns <= most_ns)
            continue;
        most_ns = own_ns;
        blame_owner(rule, drained, &count->key, finding);
    }
    finding->value = length_ns ? 100 * (double)sum_ns / (double)length_ns : 0;
}

static double p99_of(const struct store_histogram *histogram)
{
    uint64_t count = 0, below = 0;
    for (size_t i = 0; i < histogram->count_of_buckets; i++)
        count += bucket__is_below_zero((uint32_t)i) ? 0 : histogram->counts[i];
    for (size_t i = 0; i < histogram->count_of_buckets; i++) {
        below += bucket__is_below_zero((uint32_t)i) ? 0 : histogram->counts[i];
        if (below * 100 >= count * 99 && below)
            return (double)bucket__greatest((uint32_t)i);
    }
    return 0;
}

// The key of a histogram (--by). A pattern in a comm would mean others too.
static void blame_key(const struct event *event, const char *key, struct finding *finding)
{
    static const char *const options[] = {[WIRE_HIST_BY_COMM] = "--comm",
                                          [WIRE_HIST_BY_PID] = "-p",
                                          [WIRE_HIST_BY_TID] = "-t",
                                          [WIRE_HIST_BY_CGROUP] = "-G"};
    const enum wire_hist_by by = event->hist->by;
    blame(finding, !event->hist_groups && by < sizeof(options) / sizeof(options[0]) ? options[by] : NULL, key);
    if ((by == WIRE_HIST_BY_COMM && strpbrk(key, "*?[\\")) || (by == WIRE_HIST_BY_CGROUP && *key != '/') || !*key)
        finding->option = NULL;
}

// Of all keys, the highest.
static void find_p99(const struct rule *rule, const struct recorder_drained *drained, struct finding *finding)
{
    for (size_t i = 0; i < drained->histogram_count; i++)
        for (size_t j = 0; j < drained->event_count; j++) {
            const struct event *event = &drained->events[j];
            bool is_meant = event->source && event->hist && strcmp(event->spelled, rule->name) == 0 &&
                            drained->event_rows[j] == drained->histograms[i].event;
            double value = is_meant ? p99_of(&drained->histograms[i]) : 0;
            if (value <= finding->value)
                continue;
            finding->value = value;
            blame_key(event, drained->histograms[i].key, finding);
        }
}

static void find_pressure(const struct rule *rule, struct finding *finding)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/pressure/%.16s", rule->name);
    _cleanup_file_ FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "some avg10=%lf", &finding->value) != 1)
        finding->value = 0;
}

// The recording beside: its store's path, or "" where there is none, which is said.
static void begin_side(const struct rule *rule, const struct finding *finding, struct side_recordings *sides,
                       char *path, size_t size)
{
    const char *argv[LIMIT_SIDE_WORDS], *word = rule->words;
    struct fault fault = {0};
    struct side_request request = {.argv = argv, .why = rule->text};
    struct side_shown shown;
    uint64_t id;
    for (; request.argc < (int)rule->word_count; word += strlen(word) + 1)
        argv[request.argc++] = word;
    if (finding->option) {
        argv[request.argc++] = finding->option;
        argv[request.argc++] = finding->target;
    }
    *path = '\0';
    int err = side_recordings__begin(sides, &request, &fault, &id);
    if (err)
        fault__say(&fault, err);
    for (size_t i = 0; !err && side_recordings__show(sides, i, &shown); i++)
        if (shown.id == id)
            snprintf(path, size, "%s", strrchr(shown.path, '/') ? strrchr(shown.path, '/') + 1 : shown.path);
}

static void begin_incident(const struct rule *rule, const struct finding *finding,
                           const struct recorder_drained *drained, struct side_recordings *sides)
{
    char file[256], value[32];
    const char *culprit = *finding->culprit ? finding->culprit : "all";
    struct fault fault = {0};
    begin_side(rule, finding, sides, file, sizeof(file));
    if (rule->kind == RULE_P99)
        snprintf(value, sizeof(value), "%.3g ms", finding->value / 1e6);
    else
        snprintf(value, sizeof(value), "%.0f %%", finding->value);
    uint64_t held_ns = clock__ns(CLOCK_MONOTONIC) - rule->since_ns;
    const struct store_incident row = {.start_ns = drained->interval->end_ns - held_ns,
                                       .end_ns = drained->interval->end_ns,
                                       .rule = rule->text,
                                       .culprit = culprit,
                                       .value = value,
                                       .file = file};
    fault__warn("incident: %s: %s, %s%s%s", rule->text, value, culprit, *file ? "; recorded in incidents/" : "", file);
    int err = recorder__add_incident(drained->recorder, &row, &fault);
    if (err)
        fault__say(&fault, err);
}

void watch__judge(struct watch *watch, const struct recorder_drained *drained, struct side_recordings *sides)
{
    uint64_t now_ns = clock__ns(CLOCK_MONOTONIC);
    uint64_t length_ns = drained->interval->end_ns - drained->interval->start_ns;
    for (size_t i = 0; i < watch->count; i++) {
        struct rule *rule = &watch->rules[i];
        struct finding finding = {0};
        if (rule->kind == RULE_CPU)
            find_cpu(rule, drained, &finding);
        else if (rule->kind == RULE_P99)
            find_p99(rule, drained, &finding);
        else
            find_pressure(rule, &finding);
        if (!rule__judge(rule, finding.value, now_ns > length_ns ? now_ns - length_ns : 0, now_ns))
            continue;
        watch->incidents++;
        begin_incident(rule, &finding, drained, sides);
    }
}
