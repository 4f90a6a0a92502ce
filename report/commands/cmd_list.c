// `hearth list SUBJECT`: what a store holds, the heaviest first.
//
//   $ hearth list processes --since -1h
//      SAMPLES     PID  UID  STARTED              COMM             EXE
//          45       10    0  2026-11-21 11:59:59  server           /usr/bin/server
#include "report/commands/cmd_list.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/formats/format.h"
#include "report/query/filter.h"
#include "report/query/group_list.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/name_pattern.h"
#include "store/base/wide.h"
#include "store/reader/reader.h"
#include "store/reader/reader_incidents.h"
#include "store/reader/reader_questions.h"

DEFINE_CLEANUP(struct store_reader *, store_reader__free);

const struct option_row list_option_rows[] = {
    {'i', "input", "STORE", "the store to read (./hearth.db, else the daemon's)", option__string,
     offsetof(struct list_options, store)},
    {'e', "event", "EVENT", "count this event only", option__string, offsetof(struct list_options, filter.event)},
    {0, "since", "TIME", "from this time on: -1h, 12:30, yesterday, \"2026-11-21 12:30\", @UNIX", option__string,
     offsetof(struct list_options, filter.since)},
    {0, "until", "TIME", "up to this time", option__string, offsetof(struct list_options, filter.until)},
    {0},
};

// The samples of a row in the range, by the store's ids.
struct counts {
    uint64_t samples, value;
    uint64_t since_ns, until_ns; // of the intervals in which it was seen
};

struct list {
    struct store_reader *reader;
    const char *glob;          // of names; NULL: all
    struct name_pattern names; // the glob, for names of threads; zero: matches none
    const char *head;          // the line above the first row; NULL: printed
    struct counts *counts;
    uint32_t count;
    uint32_t (*id_of)(const struct store_value *value, struct store_reader *reader);
};

static int grow(struct list *list, uint32_t id)
{
    if (id < list->count)
        return 0;
    uint32_t count = id < 1024 ? 1024 : id + id / 2;
    if (count <= id || RESIZE(list->counts, count) != 0)
        return -ENOMEM;
    memset(list->counts + list->count, 0, (count - list->count) * sizeof(*list->counts));
    list->count = count;
    return 0;
}

static int count(struct list *list, uint32_t id, const struct store_interval *interval, uint64_t samples,
                 uint64_t value)
{
    int err = grow(list, id);
    if (err)
        return err;
    struct counts *counts = &list->counts[id];
    if (!counts->samples || interval->start_ns < counts->since_ns)
        counts->since_ns = interval->start_ns;
    if (interval->end_ns > counts->until_ns)
        counts->until_ns = interval->end_ns;
    counts->samples += samples;
    counts->value = saturated_sum(counts->value, value);
    return 0;
}

static int count_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct list *list = context;
    return count(list, list->id_of(value, list->reader), &row->interval, value->count, value->value);
}

static int count_histogram(const struct store_interval_row *row, const struct store_histogram *histogram, void *context)
{
    struct list *list = context;
    uint64_t samples = 0;
    if (store_reader__event(list->reader, histogram->event)->is_doubled)
        return 0; // its values are counted already
    for (size_t i = 0; i < histogram->count_of_buckets; i++)
        samples += histogram->counts[i];
    return count(list, histogram->event, &row->interval, samples, histogram->sum);
}

static uint32_t event_of(const struct store_value *value, struct store_reader *reader)
{
    (void)reader;
    return value->event;
}

static uint32_t thread_of(const struct store_value *value, struct store_reader *reader)
{
    (void)reader;
    return value->thread;
}

static uint32_t process_of(const struct store_value *value, struct store_reader *reader)
{
    const struct store_thread *thread = store_reader__thread(reader, value->thread);
    return thread ? thread->process : 0;
}

static int heaviest_first(const void *a, const void *b, void *context)
{
    const struct counts *counts = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    if (counts[left].samples != counts[right].samples)
        return counts[left].samples > counts[right].samples ? -1 : 1;
    return left < right ? -1 : left > right;
}

static void begin_row(struct list *list)
{
    if (list->head)
        puts(list->head);
    list->head = NULL;
}

static bool is_wanted(const struct list *list, const char *name)
{
    return !list->glob || fnmatch(list->glob, name, 0) == 0;
}

static bool is_wanted_comm(const struct list *list, const char *comm)
{
    return !list->glob || name_pattern__matches(&list->names, comm);
}

static void put_clean(const char *text, int width)
{
    _cleanup_free_ char *clean = safe_text__dup(text && *text ? text : "-");
    printf("%-*s", width, clean ? clean : "?");
}

static bool put_event(struct list *list, uint32_t id)
{
    const struct store_event *event = store_reader__event(list->reader, id);
    const struct counts *counts = &list->counts[id];
    if (!event || !is_wanted(list, event->name))
        return false;
    begin_row(list);
    char value[TEXT_AMOUNT_BYTES], since[FORMAT_TIME_BYTES], until[FORMAT_TIME_BYTES];
    bool timed = strcmp(event->unit, "samples") == 0 && event->period;
    text__amount(timed ? counts->samples * event->period : counts->value, timed ? "ns" : event->unit, value);
    format__time(counts->since_ns, since);
    format__time(counts->until_ns, until);
    printf("%10" PRIu64 "  %10s  %s  %s  %-6s  ", counts->samples, value, since, until,
           event->is_histogram ? "yes" : "no");
    put_clean(event->name, 28);
    fputs("  ", stdout);
    put_clean(event->detail, 0);
    return true;
}

static bool put_process(struct list *list, uint32_t id)
{
    const struct store_process *process = store_reader__process(list->reader, id);
    if (!process || (!is_wanted_comm(list, process->comm) && !is_wanted(list, process->exe)))
        return false;
    begin_row(list);
    char started[FORMAT_TIME_BYTES];
    format__time(process->start_ns, started);
    printf("%10" PRIu64 "  %7" PRIu32 "  %7" PRIu32 "  %5" PRIu32 "  %s  ", list->counts[id].samples, process->pid,
           process->parent_pid, process->uid, started);
    put_clean(process->comm, 15);
    fputs("  ", stdout);
    put_clean(process->exe, 28);
    fputs("  ", stdout);
    put_clean(process->cgroup, 0);
    return true;
}

static bool put_thread(struct list *list, uint32_t id)
{
    const struct store_thread *thread = store_reader__thread(list->reader, id);
    const struct store_process *process = thread ? store_reader__process(list->reader, thread->process) : NULL;
    if (!process || !is_wanted_comm(list, thread->comm))
        return false;
    begin_row(list);
    char tid[16] = "all"; // threads of one name kept together
    if (thread->tid)
        snprintf(tid, sizeof(tid), "%" PRIu32, thread->tid);
    printf("%10" PRIu64 "  %7" PRIu32 "  %7s  ", list->counts[id].samples, process->pid, tid);
    put_clean(thread->comm, 15);
    fputs("  ", stdout);
    put_clean(process->exe, 0);
    return true;
}

static int put_counted(struct list *list, const char *head, bool (*put)(struct list *list, uint32_t id),
                       struct fault *fault)
{
    _cleanup_free_ uint32_t *ids = calloc((size_t)list->count + 1, sizeof(*ids));
    if (!ids)
        return -ENOMEM;
    uint32_t id_count = 0, shown = 0;
    list->head = head;
    for (uint32_t id = 0; id < list->count; id++)
        if (list->counts[id].samples)
            ids[id_count++] = id;
    qsort_r(ids, id_count, sizeof(*ids), heaviest_first, list->counts);
    for (uint32_t i = 0; i < id_count; i++) {
        if (put(list, ids[i])) {
            putchar('\n');
            shown++;
        }
    }
    return shown ? 0 : fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "nothing of that kind in that range");
}

static int list_groups(struct list *list, const char *key, const char *head, const struct store_query *query,
                       struct fault *fault)
{
    _cleanup_(group_list__release) struct group_list groups = {0};
    bool is_shown = false;
    int err = group_list__read(list->reader, query, key, fault, &groups);
    list->head = head;
    for (uint32_t i = 0; i < groups.count && !err; i++) {
        const struct group_row *row = &groups.rows[i];
        char since[FORMAT_TIME_BYTES], until[FORMAT_TIME_BYTES];
        if (!is_wanted(list, row->name))
            continue;
        begin_row(list);
        is_shown = true;
        format__time(row->since_ns, since);
        format__time(row->until_ns, until);
        printf("%10" PRIu64 "  %s  %s  ", row->samples, since, until);
        put_clean(row->name, 0);
        putchar('\n');
    }
    return err || is_shown ? err
                           : fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "nothing of that kind in that range");
}

#define GROUP_HEAD(word) "   SAMPLES  FROM                 TO                   " word

static int list_units(struct list *list, const struct store_query *query, struct fault *fault)
{
    return list_groups(list, "unit", GROUP_HEAD("UNIT"), query, fault);
}

static int list_containers(struct list *list, const struct store_query *query, struct fault *fault)
{
    return list_groups(list, "container", GROUP_HEAD("CONTAINER"), query, fault);
}

static int list_pods(struct list *list, const struct store_query *query, struct fault *fault)
{
    return list_groups(list, "pod", GROUP_HEAD("POD"), query, fault);
}

static int list_users(struct list *list, const struct store_query *query, struct fault *fault)
{
    return list_groups(list, "user", GROUP_HEAD("USER"), query, fault);
}

static int list_events(struct list *list, const struct store_query *query, struct fault *fault)
{
    list->id_of = event_of;
    int err = store_reader__values(list->reader, query, fault, count_value, list);
    if (!err)
        err = store_reader__histograms(list->reader, query, fault, count_histogram, list);
    return err ? err
               : put_counted(list,
                             "   SAMPLES       VALUE  FROM                 TO                   BUCKETS  EVENT"
                             "                         DETAIL",
                             put_event, fault);
}

static int list_processes(struct list *list, const struct store_query *query, struct fault *fault)
{
    list->id_of = process_of;
    int err = store_reader__values(list->reader, query, fault, count_value, list);
    return err ? err
               : put_counted(list,
                             "   SAMPLES      PID   PARENT    UID  STARTED              COMM             "
                             "EXE                           CGROUP",
                             put_process, fault);
}

static int list_threads(struct list *list, const struct store_query *query, struct fault *fault)
{
    list->id_of = thread_of;
    int err = store_reader__values(list->reader, query, fault, count_value, list);
    return err ? err : put_counted(list, "   SAMPLES      PID      TID  COMM             EXE", put_thread, fault);
}

// "elf": the kind's name in store/frame_kinds.def, in small letters.
static void put_kind(enum store_binary_kind kind)
{
    static const char *const names[] = {
#define FRAME_KIND(name, ...) [STORE_BINARY_##name] = #name,
#include "store/frame_kinds.def"
#undef FRAME_KIND
    };
    int width = 0;
    for (const char *at = names[kind]; *at; at++, width++)
        putchar(tolower(*at));
    printf("%*s", width < 6 ? 6 - width : 0, "");
}

static int list_binaries(struct list *list, const struct store_query *query, struct fault *fault)
{
    (void)query;
    uint32_t shown = 0;
    for (uint32_t id = 1; id <= store_reader__binary_count(list->reader); id++) {
        const struct store_binary *binary = store_reader__binary(list->reader, id);
        if (!binary || binary->kind == STORE_BINARY_MARK || !is_wanted(list, binary->path))
            continue;
        if (!shown++)
            puts("KIND    BUILD ID                                  PATH");
        char build_id[41] = "-";
        for (size_t i = 0; binary->build_id && i < binary->build_id_bytes && i < 20; i++)
            snprintf(build_id + 2 * i, 3, "%02x", binary->build_id[i]);
        put_kind(binary->kind);
        printf("  %-40s  ", build_id);
        put_clean(binary->path, 0);
        putchar('\n');
    }
    return shown ? 0 : fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "no such binary in the store");
}

static int print_incident(const struct store_incident *incident, void *context)
{
    struct list *list = context;
    char time[32] = "?";
    struct tm local;
    time_t seconds = (time_t)(incident->start_ns / 1000000000);
    if (!is_wanted(list, incident->rule))
        return 0;
    if (localtime_r(&seconds, &local))
        strftime(time, sizeof(time), "%Y-%m-%d %H:%M:%S", &local);
    begin_row(list);
    safe_text__print(stdout, "%10" PRIu64 "  %s  %10s  %-24s %-32s %s", incident->id, time, incident->value,
                     incident->culprit, incident->file, incident->rule);
    putchar('\n');
    return 0;
}

static int list_incidents(struct list *list, const struct store_query *query, struct fault *fault)
{
    (void)query;
    list->head =
        "  INCIDENT  SINCE                     VALUE  CULPRIT                  RECORDING                        RULE";
    return store_reader__incidents(list->reader, fault, print_incident, list);
}

// The only list of subjects.
static const struct {
    const char *name, *summary;
    int (*list)(struct list *list, const struct store_query *query, struct fault *fault);
} subjects[] = {
    {"store", "the events that were recorded, how much, and when", list_events},
    {"events", "the same, of the STORE that -i names", list_events},
    {"processes", "by samples, with their programs and cgroups", list_processes},
    {"threads", "by samples", list_threads},
    {"units", "systemd's, by samples", list_units},
    {"containers", "by samples", list_containers},
    {"pods", "Kubernetes', by samples", list_pods},
    {"users", "by samples", list_users},
    {"incidents", "what the rules of the daemon found, and what was recorded then", list_incidents},
    {"binaries", "the files that code was seen in, with their build ids", list_binaries},
};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))

static void list__release(struct list *list)
{
    store_reader__free(list->reader);
    free(list->counts);
}

static int find_event(struct store_reader *reader, const char *name, struct fault *fault, uint32_t *ret_event)
{
    for (uint32_t id = 1; name && id <= store_reader__event_count(reader); id++)
        if (strcmp(store_reader__event(reader, id)->name, name) == 0) {
            *ret_event = id;
            return 0;
        }
    if (name)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no event '%s' in the store; see `hearth list events`",
                               name);
    *ret_event = 0;
    return 0;
}

static int run_subject(const struct list_options *options, size_t subject, const char *glob, struct fault *fault)
{
    _cleanup_(list__release) struct list list = {.glob = glob};
    struct report_request request;
    uint32_t event = 0;
    if (glob)
        name_pattern__parse(glob, NULL, &list.names); // a glob that matches no thread's name may match a path
    int err = filter__request(&options->filter, fault, &request);
    if (!err)
        err = store_reader__open(filter__store(options->store), fault, &list.reader);
    if (!err)
        err = find_event(list.reader, request.event, fault, &event);
    if (err)
        return err;
    struct store_query query = {
        .event = event,
        .since_ns = request.since_ns,
        .until_ns = request.until_ns,
    };
    return subjects[subject].list(&list, &query, fault);
}

enum exit_code cmd_list_stored__run(const struct list_options *options, int argc, char **argv)
{
    struct fault fault = {0};
    const char *names[SUBJECT_COUNT + 1] = {NULL};
    for (size_t i = 0; i < SUBJECT_COUNT; i++) {
        names[i] = subjects[i].name;
        if (argc < 1 || argc > 2 || strcmp(argv[0], subjects[i].name) != 0)
            continue;
        int err = run_subject(options, i, argc > 1 ? argv[1] : NULL, &fault);
        return err ? fault__say(&fault, err) : EXIT_CODE_DONE;
    }
    const char *near = argc ? options__nearest(argv[0], names) : NULL;
    if (near)
        fault__warn("unknown subject '%s'; did you mean '%s'?", argv[0], near);
    else
        fault__warn("list what? `hearth list -h` lists the subjects");
    return EXIT_CODE_USAGE;
}

void cmd_list_stored__print_subjects(FILE *file)
{
    fprintf(file, "\nsubjects of a store:\n");
    for (size_t i = 0; i < SUBJECT_COUNT; i++)
        fprintf(file, "  %-10s %s\n", subjects[i].name, subjects[i].summary);
}
