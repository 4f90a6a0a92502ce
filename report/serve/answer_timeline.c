// /api/timeline?event=&from=&to=&by=&columns=: the sums of an event over time, by comm (or unit, container, user ...),
// of the sums that a store keeps beside its values: nothing is unpacked.
//
//   {"event":"cpu","unit":"samples","period":10101010,"by":"comm","total":{"samples":1431,"value":1431},
//    "since":..,"until":..,"step":..,"count":300,"covered":[..],
//    "series":[{"name":"nginx","total":812,"cells":[0,12,1,14.5]}],
//    "losses":[{"name":"stack-cut","total":3,"cells":[7,3]}]}
//
// The cells are pairs of a column and an amount: samples where the event counts those, else the sum of its values. The
// heaviest series come first. An interval that lies in several columns is parted among them by time.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/histograms/columns.h"
#include "report/profile/group.h"
#include "report/query/source.h"
#include "report/query/time_range.h"
#include "report/serve/answers.h"
#include "report/text/strings.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/reader/reader_questions.h"

DEFINE_CLEANUP(struct strings *, strings__free);

#define COARSE_STEP_NS 3600e9 // columns as long as the longest sums

// The amounts of a name, by column. Intervals come by time, so that the last cell is nearly always the one to add to.
struct series {
    uint64_t total;
    struct cell {
        uint32_t column;
        double amount;
    } * cells;
    size_t count, capacity;
};

struct series_list {
    struct strings *names; // by id: clean
    struct series *items;
    size_t capacity;
};

struct timeline {
    struct source source;
    struct columns columns;
    const struct group *group;
    struct series_list sums, losses;
    uint32_t *ids_by_process; // id + 1; 0: not asked yet
    uint64_t samples, value;
};

static void series_list__release(struct series_list *list)
{
    for (uint32_t i = 0; list->names && i < strings__count(list->names); i++)
        if (i < list->capacity)
            free(list->items[i].cells);
    free(list->items);
    strings__free(list->names);
}

static void timeline__release(struct timeline *timeline)
{
    series_list__release(&timeline->sums);
    series_list__release(&timeline->losses);
    columns__release(&timeline->columns);
    source__release(&timeline->source);
    free(timeline->ids_by_process);
}

static int find(struct series_list *list, const char *name, uint32_t *ret_id)
{
    const char *kept;
    _cleanup_free_ char *clean = safe_text__dup(name);
    int err = clean ? 0 : -ENOMEM;
    if (!err && !list->names)
        err = strings__new(&list->names);
    if (!err)
        err = strings__keep(list->names, clean, &kept);
    if (!err)
        err = strings__keep_id(list->names, kept, ret_id);
    if (err || *ret_id < list->capacity)
        return err;
    size_t before = list->capacity;
    err = GROW(list->items, list->capacity, *ret_id + 1u);
    if (err)
        return err;
    memset(list->items + before, 0, (list->capacity - before) * sizeof(*list->items));
    return 0;
}

static int add_cell(struct series *series, uint32_t column, double amount)
{
    if (series->count && series->cells[series->count - 1].column == column) {
        series->cells[series->count - 1].amount += amount;
        return 0;
    }
    int err = GROW(series->cells, series->capacity, series->count + 1);
    if (err)
        return err;
    series->cells[series->count++] = (struct cell){column, amount};
    return 0;
}

static int spread(const struct columns *columns, const struct store_interval *interval, uint64_t amount,
                  struct series *series)
{
    uint32_t first, end;
    int err = 0;
    columns__of(columns, interval, &first, &end);
    series->total += amount;
    for (uint32_t i = first; !err && i < end; i++)
        err = add_cell(series, i, (double)amount * columns__part(columns, interval, i));
    return err;
}

// The series of a process, looked up once.
static int series_of(struct timeline *timeline, uint32_t process, uint32_t *ret_id)
{
    char name[GROUP_NAME_BYTES] = STORE_MARK_UNKNOWN;
    const struct store_process *row = store_reader__process(timeline->source.reader, process);
    if (timeline->ids_by_process[process]) {
        *ret_id = timeline->ids_by_process[process] - 1;
        return 0;
    }
    const struct store_thread leader = {.process = process, .comm = row ? row->comm : ""};
    if (row)
        timeline->group->key(row, &leader, name);
    int err = find(&timeline->sums, name, ret_id);
    if (!err)
        timeline->ids_by_process[process] = *ret_id + 1;
    return err;
}

static int add_sum(const struct store_interval_row *row, const struct store_process_total *total, void *context)
{
    struct timeline *timeline = context;
    uint32_t id;
    timeline->samples += total->samples;
    timeline->value = saturated_sum(timeline->value, total->value);
    int err = series_of(timeline, total->process, &id);
    uint64_t amount = timeline->source.measure == LAYOUT_SAMPLES ? total->samples : total->value;
    return err ? err : spread(&timeline->columns, &row->interval, amount, &timeline->sums.items[id]);
}

static int add_interval(const struct store_interval_row *row, void *context)
{
    struct timeline *timeline = context;
    const struct store_interval *interval = &row->interval;
    int err = 0;
    columns__cover(&timeline->columns, interval);
    for (size_t i = 0; !err && i < interval->loss_count; i++) {
        uint32_t id;
        err = find(&timeline->losses, interval->losses[i].name, &id);
        if (!err)
            err = spread(&timeline->columns, interval, interval->losses[i].count, &timeline->losses.items[id]);
    }
    return err;
}

static const struct series_list *sorted; // while qsort() runs

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    uint64_t x = sorted->items[a].total, y = sorted->items[b].total;
    return x != y ? (x < y ? 1 : -1) : strcmp(strings__of(sorted->names, a), strings__of(sorted->names, b));
}

static int compare_cells(const void *left, const void *right)
{
    uint32_t a = ((const struct cell *)left)->column, b = ((const struct cell *)right)->column;
    return a < b ? -1 : a > b;
}

static void put_series(const char *name, struct series *series, bool is_first)
{
    qsort(series->cells, series->count, sizeof(*series->cells), compare_cells);
    printf("%s{\"name\":", is_first ? "" : ",\n");
    text__put_json(stdout, name);
    printf(",\"total\":%" PRIu64 ",\"cells\":[", series->total);
    for (size_t i = 0; i < series->count; i++)
        printf("%s%" PRIu32 ",%.6g", i ? "," : "", series->cells[i].column, series->cells[i].amount);
    printf("]}");
}

static int join(struct series *others, const struct series *series)
{
    int err = 0;
    others->total += series->total;
    for (size_t i = 0; !err && i < series->count; i++)
        err = add_cell(others, series->cells[i].column, series->cells[i].amount);
    return err;
}

// The heaviest, and all others as one, whose cells may name a column more than once: they are summed up here.
static int put_list(struct series_list *list, const char *name)
{
    uint32_t count = list->names ? strings__count(list->names) : 0;
    struct series others = {0};
    int err = 0;
    _cleanup_free_ uint32_t *order = calloc((size_t)count + 1, sizeof(*order));
    if (!order)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    sorted = list;
    qsort(order, count, sizeof(*order), compare);
    printf(",\n\"%s\":[", name);
    for (uint32_t i = 0; !err && i < count; i++)
        if (i < LIMIT_SERVE_NAMES)
            put_series(strings__of(list->names, order[i]), &list->items[order[i]], i == 0);
        else
            err = join(&others, &list->items[order[i]]);
    if (!err && others.count) {
        size_t kept = 0;
        qsort(others.cells, others.count, sizeof(*others.cells), compare_cells);
        for (size_t i = 1; i < others.count; i++)
            if (others.cells[i].column == others.cells[kept].column)
                others.cells[kept].amount += others.cells[i].amount;
            else
                others.cells[++kept] = others.cells[i];
        others.count = kept + 1;
        put_series("[others]", &others, false);
    }
    free(others.cells);
    printf("]");
    return err;
}

static void put_head(const struct timeline *timeline)
{
    const struct store_event *event = timeline->source.event;
    _cleanup_free_ char *name = safe_text__dup(event->name);
    _cleanup_free_ char *unit = safe_text__dup(event->unit);
    printf("{\"event\":");
    text__put_json(stdout, name ? name : "");
    printf(",\"unit\":");
    text__put_json(stdout, unit ? unit : "");
    printf(",\"period\":%" PRIu64 ",\"by\":\"%s\",\"total\":{\"samples\":%" PRIu64 ",\"value\":%" PRIu64 "},\n",
           timeline->source.measure == LAYOUT_SAMPLES ? event->period : 0, timeline->group->name, timeline->samples,
           timeline->value);
    columns__put(&timeline->columns, stdout);
}

static int check(const struct report_request *request, const struct timeline *timeline, struct fault *fault)
{
    if (request->tid_count || timeline->group == &group_of_threads)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "a time line is of processes, not of threads");
    if (request->stacks.focus || request->stacks.ignore || request->stacks.hide || request->has_bucket_low ||
        request->has_bucket_high)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "a time line knows neither stacks nor buckets");
    return 0;
}

static int gather(struct timeline *timeline, struct fault *fault)
{
    struct store_query *query = &timeline->source.query;
    query->is_coarse = timeline->columns.step_ns >= COARSE_STEP_NS;
    timeline->ids_by_process =
        calloc((size_t)store_reader__process_count(timeline->source.reader) + 1, sizeof(*timeline->ids_by_process));
    if (!timeline->ids_by_process)
        return -ENOMEM;
    int err = store_reader__process_totals(timeline->source.reader, query, fault, add_sum, timeline);
    return err ? err : store_reader__intervals(timeline->source.reader, query, fault, add_interval, timeline);
}

int answer_timeline(const struct question *question, struct fault *fault)
{
    static const char *const own[] = {"by", "columns", NULL};
    _cleanup_(timeline__release) struct timeline timeline = {.group = &group_of_comms};
    struct filter filter = {0};
    struct report_request request;
    uint32_t count;
    const char *by = question__find(question, "by");
    int err = question__request(question, own, &filter, fault, &request);
    if (!err && by && (err = group__option(by, &timeline.group, fault)) != 0)
        fault->code = EXIT_CODE_USAGE;
    if (!err)
        err = check(&request, &timeline, fault);
    if (!err)
        err = source__open(question->store, &request, SOURCE_STACKS, fault, &timeline.source);
    if (!err)
        err = question__columns(question, fault, &count);
    if (!err)
        err = time_range__columns(&request, timeline.source.reader, count, count, fault, &timeline.columns);
    if (!err)
        err = gather(&timeline, fault);
    if (err)
        return err;
    put_head(&timeline);
    err = put_list(&timeline.sums, "series");
    if (!err)
        err = put_list(&timeline.losses, "losses");
    printf("}\n");
    return err;
}
