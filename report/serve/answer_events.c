// /api/events: the events of the store, of its last two days where it is a directory, and when these begin and end.
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "report/serve/answers.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/reader/reader_questions.h"

DEFINE_CLEANUP(struct store_reader *, store_reader__free);

#define RECENT_NS (48 * 3600 * 1000000000ull) // the files of these days are opened, not those of a year

struct extent {
    uint64_t since_ns, until_ns;
};

static int widen(const struct store_interval_row *row, void *context)
{
    struct extent *extent = context;
    if (!extent->until_ns || row->interval.start_ns < extent->since_ns)
        extent->since_ns = row->interval.start_ns;
    if (row->interval.end_ns > extent->until_ns)
        extent->until_ns = row->interval.end_ns;
    return 0;
}

static void put_text(const char *name, const char *text)
{
    _cleanup_free_ char *clean = safe_text__dup(text ? text : "");
    printf("\"%s\":", name);
    text__put_json(stdout, clean ? clean : "");
    putchar(',');
}

static void put_event(const struct store_event *event, bool is_first)
{
    printf(is_first ? "\n{" : ",\n{");
    put_text("name", event->name);
    put_text("unit", event->unit);
    put_text("detail", event->detail);
    printf("\"period\":%" PRIu64 ",\"histogram\":%s,\"stacks\":%s}", event->period,
           event->is_histogram ? "true" : "false", !event->is_histogram || event->is_doubled ? "true" : "false");
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int answer_events(const struct question *question, struct fault *fault)
{
    static const char *const own[] = {NULL};
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    const struct store_part part = {.since_ns = now_ns() - RECENT_NS};
    const struct store_query all = {0};
    struct filter filter = {0};
    struct report_request request;
    struct extent extent = {0};
    int err = question__request(question, own, &filter, fault, &request);
    if (!err)
        err = store_reader__open_part(question->store, &part, fault, &reader);
    if (!err)
        err = store_reader__intervals(reader, &all, fault, widen, &extent);
    if (err)
        return err;
    const struct store_meta *meta = store_reader__meta(reader);
    printf("{");
    put_text("host", meta->host);
    put_text("kernel", meta->kernel);
    printf("\"cpus\":%" PRIu32 ",\"since\":%.3f,\"until\":%.3f,\"now\":%.3f,\n\"events\":[", meta->cpu_count,
           (double)extent.since_ns / 1e9, (double)extent.until_ns / 1e9, (double)now_ns() / 1e9);
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++)
        put_event(store_reader__event(reader, i), i == 1);
    printf("]}\n");
    return 0;
}
