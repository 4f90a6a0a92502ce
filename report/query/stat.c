#include "report/query/stat.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/limits.h"
#include "store/reader/reader_questions.h"

// Intervals mostly come in their order and join on: few spans are kept.
static int add_span(struct stat_gaps *gaps, const struct store_interval *interval)
{
    struct stat_span *last = gaps->span_count ? &gaps->spans[gaps->span_count - 1] : NULL;
    if (last && interval->start_ns >= last->start_ns && interval->start_ns <= last->end_ns + LIMIT_STORE_GAP_NS) {
        last->end_ns = interval->end_ns > last->end_ns ? interval->end_ns : last->end_ns;
        return 0;
    }
    if (GROW(gaps->spans, gaps->span_capacity, gaps->span_count + 1) != 0)
        return -ENOMEM;
    gaps->spans[gaps->span_count++] = (struct stat_span){interval->start_ns, interval->end_ns};
    return 0;
}

static int compare_spans(const void *a, const void *b)
{
    const struct stat_span *x = a, *y = b;
    return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

static void find_gaps(struct stat_gaps *gaps)
{
    if (gaps->span_count)
        qsort(gaps->spans, gaps->span_count, sizeof(*gaps->spans), compare_spans);
    uint64_t end_ns = gaps->span_count ? gaps->spans[0].end_ns : 0;
    for (size_t i = 1; i < gaps->span_count; i++) {
        struct stat_span gap = {end_ns, gaps->spans[i].start_ns};
        end_ns = gaps->spans[i].end_ns > end_ns ? gaps->spans[i].end_ns : end_ns;
        if (gap.end_ns <= gap.start_ns + LIMIT_STORE_GAP_NS)
            continue;
        gaps->count++;
        gaps->sum_ns += gap.end_ns - gap.start_ns;
        if (gap.end_ns - gap.start_ns > gaps->longest.end_ns - gaps->longest.start_ns)
            gaps->longest = gap;
    }
}

static int take_interval(const struct store_interval_row *row, void *context)
{
    struct store_stat *stat = context;
    const struct store_interval *interval = &row->interval;
    if (!stat->first_ns || interval->start_ns < stat->first_ns)
        stat->first_ns = interval->start_ns;
    if (interval->end_ns > stat->last_ns)
        stat->last_ns = interval->end_ns;
    if (interval->end_ns > interval->start_ns)
        stat->covered_ns += interval->end_ns - interval->start_ns;
    if (interval->own_rss_bytes > stat->peak_rss_bytes)
        stat->peak_rss_bytes = interval->own_rss_bytes;
    if (interval->own_map_bytes > stat->peak_map_bytes)
        stat->peak_map_bytes = interval->own_map_bytes;
    stat->written_bytes += interval->own_written_bytes;
    int err = add_span(&stat->gaps, interval);
    return err ? err : loss_list__add(&stat->losses, interval);
}

static int take_total(const struct store_interval_row *row, const struct store_total *total, void *context)
{
    struct store_stat *stat = context;
    (void)row;
    if (!total->event)
        return 0;
    stat->events[total->event - 1].samples += total->samples;
    stat->events[total->event - 1].value = saturated_sum(stat->events[total->event - 1].value, total->value);
    stat->samples += total->samples;
    return 0;
}

static int take_histogram(const struct store_interval_row *row, const struct store_histogram *histogram, void *context)
{
    const struct store_stat *stat = context;
    uint64_t count = 0;
    if (store_reader__event(stat->reader, histogram->event)->is_doubled)
        return 0; // among the totals already
    for (size_t i = 0; i < histogram->count_of_buckets; i++)
        count += histogram->counts[i];
    struct store_total total = {.event = histogram->event, .samples = count, .value = histogram->sum};
    return take_total(row, &total, context);
}

int store_stat__gather(const char *path, struct store_reader *reader, struct fault *fault, struct store_stat *ret_stat)
{
    _cleanup_(store_stat__release) struct store_stat stat = {.path = path, .reader = reader};
    struct store_query all = {0};
    stat.events = calloc((size_t)store_reader__event_count(reader) + 1, sizeof(*stat.events));
    if (!stat.events)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = store_reader__size(reader, fault, &stat.size);
    if (!err)
        err = store_reader__intervals(reader, &all, fault, take_interval, &stat);
    if (!err)
        err = store_reader__totals(reader, &all, fault, take_total, &stat);
    if (!err)
        err = store_reader__histograms(reader, &all, fault, take_histogram, &stat);
    if (err)
        return err;
    find_gaps(&stat.gaps);
    *ret_stat = stat;
    stat = (struct store_stat){0};
    return 0;
}

void store_stat__release(struct store_stat *stat)
{
    free(stat->events);
    free(stat->gaps.spans);
    loss_list__release(&stat->losses);
    *stat = (struct store_stat){0};
}

// Of a CPU, in percent; 0 where nothing was recorded.
static double own_cpu_pct(const struct store_stat *stat)
{
    double own_ns = (double)stat->losses.own_cpu_ns + (double)stat->losses.own_bpf_ns;
    return stat->covered_ns ? 100 * own_ns / (double)stat->covered_ns : 0;
}

static double bytes_per_sample(const struct store_stat *stat)
{
    return stat->samples ? (double)stat->size.bytes / (double)stat->samples : 0;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void append_time(struct buf *buf, uint64_t ns)
{
    char text[32] = "?";
    struct tm local;
    time_t seconds = (time_t)(ns / 1000000000);
    if (localtime_r(&seconds, &local))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
    buf__append_string(buf, text);
}

static void append_amount(struct buf *buf, uint64_t amount, const char *unit)
{
    char text[TEXT_AMOUNT_BYTES];
    text__amount(amount, unit, text);
    buf__append_string(buf, text);
}

static void append_gaps(struct buf *buf, const struct stat_gaps *gaps)
{
    if (!gaps->count)
        return;
    buf__append_format(buf, "gaps       %" PRIu64 ", ", gaps->count);
    append_amount(buf, gaps->sum_ns, "ns");
    buf__append_string(buf, " without a recording; the longest: ");
    append_time(buf, gaps->longest.start_ns);
    buf__append_string(buf, " to ");
    append_time(buf, gaps->longest.end_ns);
    buf__append_byte(buf, '\n');
}

static void append_range(struct buf *buf, const struct store_stat *stat)
{
    uint64_t intervals = stat->losses.interval_count;
    buf__append_string(buf, "recorded   ");
    if (!intervals) {
        buf__append_string(buf, "nothing yet\n");
        return;
    }
    append_time(buf, stat->first_ns);
    buf__append_string(buf, " to ");
    append_time(buf, stat->last_ns);
    buf__append_string(buf, ": ");
    append_amount(buf, stat->covered_ns, "ns");
    buf__append_format(buf, " in %" PRIu64 " interval%s\n", intervals, plural(intervals));
    append_gaps(buf, &stat->gaps);
}

static void append_origin(struct buf *buf, const struct store_stat *stat)
{
    const struct store_meta *meta = store_reader__meta(stat->reader);
    buf__append_string(buf, "store      ");
    safe_text__append(buf, stat->path);
    buf__append_format(buf, " (%" PRIu64 " file%s, ", stat->size.files, plural(stat->size.files));
    append_amount(buf, stat->size.bytes, "bytes");
    buf__append_string(buf, ")\nhost       ");
    safe_text__append(buf, meta->host);
    buf__append_string(buf, ", Linux ");
    safe_text__append(buf, meta->kernel);
    buf__append_byte(buf, ' ');
    safe_text__append(buf, meta->arch);
    buf__append_format(buf, ", %u CPU%s\nby         hearth ", meta->cpu_count, plural(meta->cpu_count));
    safe_text__append(buf, meta->version);
    buf__append_string(buf, ": ");
    safe_text__append(buf, meta->command);
    buf__append_byte(buf, '\n');
}

// The sum of the values, of an event that is not counted in samples.
static void append_value(struct buf *buf, const struct store_event *event, uint64_t value)
{
    bool has_own_words = strcmp(event->unit, "ns") == 0 || strcmp(event->unit, "bytes") == 0;
    if (strcmp(event->unit, "samples") == 0)
        return;
    buf__append_string(buf, ", ");
    append_amount(buf, value, event->unit);
    if (!has_own_words) {
        buf__append_byte(buf, ' ');
        safe_text__append(buf, event->unit);
    }
}

static void append_events(struct buf *buf, const struct store_stat *stat)
{
    for (uint32_t i = 1; i <= store_reader__event_count(stat->reader); i++) {
        const struct store_event *event = store_reader__event(stat->reader, i);
        const struct stat_event *sums = &stat->events[i - 1];
        buf__append_string(buf, i == 1 ? "events     " : "           ");
        safe_text__append(buf, event->name);
        buf__append_string(buf, ": ");
        append_amount(buf, sums->samples, "samples");
        buf__append_format(buf, " sample%s", plural(sums->samples));
        append_value(buf, event, sums->value);
        if (*event->detail) {
            buf__append_string(buf, " (");
            safe_text__append(buf, event->detail);
            buf__append_byte(buf, ')');
        }
        buf__append_byte(buf, '\n');
    }
}

static void append_counts(struct buf *buf, const struct store_stat *stat)
{
    const struct {
        uint64_t count;
        const char *one, *many;
    } counts[] = {
        {store_reader__process_count(stat->reader), "process", "processes"},
        {store_reader__thread_count(stat->reader), "thread", "threads"},
        {store_reader__binary_count(stat->reader), "binary", "binaries"},
        {stat->size.functions, "function", "functions"},
        {stat->size.frames, "frame", "frames"},
        {stat->size.nodes, "stack node", "stack nodes"},
        {stat->size.values, "value", "values"},
    };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        buf__append_string(buf, i == 0 ? "holds      " : ", ");
        append_amount(buf, counts[i].count, "count");
        buf__append_format(buf, " %s", counts[i].count == 1 ? counts[i].one : counts[i].many);
    }
    buf__append_string(buf, "\nsize       ");
    append_amount(buf, stat->size.bytes, "bytes");
    buf__append_format(buf, ", %.1f bytes a sample\n", bytes_per_sample(stat));
}

static void append_losses(struct buf *buf, const struct store_stat *stat)
{
    const struct store_damage *damage = store_reader__damage(stat->reader);
    const struct loss_list *losses = &stat->losses;
    if (!losses->count && !damage->places)
        buf__append_string(buf, "lost       nothing\n");
    for (size_t i = 0; i < losses->count; i++) {
        const char *meaning = loss_list__meaning(losses->sums[i].name);
        buf__append_format(buf, "%s%s %" PRIu64 "%s%s\n", i == 0 ? "lost       " : "           ", losses->sums[i].name,
                           losses->sums[i].count, *meaning ? ": " : "", meaning);
    }
    if (!damage->places)
        return;
    buf__append_format(buf, "damaged    %" PRIu64 " place%s, %" PRIu64 " sample%s missing; the first: ", damage->places,
                       plural(damage->places), damage->samples, plural(damage->samples));
    safe_text__append(buf, damage->first);
    buf__append_byte(buf, '\n');
}

static void append_cost(struct buf *buf, const struct store_stat *stat)
{
    buf__append_string(buf, "own cost   ");
    append_amount(buf, stat->losses.own_cpu_ns, "ns");
    buf__append_string(buf, " of CPU and ");
    append_amount(buf, stat->losses.own_bpf_ns, "ns");
    buf__append_format(buf, " in the kernel: %.3f %% of a CPU; at most ", own_cpu_pct(stat));
    append_amount(buf, stat->peak_rss_bytes, "bytes");
    buf__append_string(buf, " of memory");
    if (stat->peak_map_bytes) {
        buf__append_string(buf, " and ");
        append_amount(buf, stat->peak_map_bytes, "bytes");
        buf__append_string(buf, " of BPF maps");
    }
    if (stat->written_bytes && stat->covered_ns) {
        buf__append_string(buf, "; ");
        append_amount(buf, stat->written_bytes, "bytes");
        buf__append_string(buf, " written, ");
        append_amount(buf, (uint64_t)((double)stat->written_bytes * 60e9 / (double)stat->covered_ns), "bytes");
        buf__append_string(buf, " a minute");
    }
    buf__append_byte(buf, '\n');
}

int store_stat__print_text(const struct store_stat *stat, FILE *file)
{
    _cleanup_(buf__release) struct buf buf = {0};
    append_origin(&buf, stat);
    append_range(&buf, stat);
    append_events(&buf, stat);
    append_counts(&buf, stat);
    append_cost(&buf, stat);
    append_losses(&buf, stat);
    if (buf.failed)
        return -ENOMEM;
    fwrite(buf.data, 1, buf.length_bytes, file);
    return 0;
}

static int put_text(FILE *file, const char *name, const char *text)
{
    _cleanup_free_ char *clean = safe_text__dup(text);
    if (!clean)
        return -ENOMEM;
    fprintf(file, "\"%s\": ", name);
    text__put_json(file, clean);
    return 0;
}

static int put_texts(FILE *file, const char *separator, const char *const (*texts)[2], size_t count)
{
    int err = 0;
    for (size_t i = 0; i < count && !err; i++) {
        err = put_text(file, texts[i][0], texts[i][1]);
        fputs(separator, file);
    }
    return err;
}

static int put_events(const struct store_stat *stat, FILE *file)
{
    int err = 0;
    fputs(" \"events\": [", file);
    for (uint32_t i = 1; i <= store_reader__event_count(stat->reader) && !err; i++) {
        const struct store_event *event = store_reader__event(stat->reader, i);
        const char *const texts[][2] = {{"name", event->name}, {"unit", event->unit}, {"detail", event->detail}};
        fputs(i == 1 ? "\n  {" : ",\n  {", file);
        err = put_texts(file, ", ", texts, 3);
        fprintf(file, "\"period\": %" PRIu64 ", \"samples\": %" PRIu64 ", \"value\": %" PRIu64 "}", event->period,
                stat->events[i - 1].samples, stat->events[i - 1].value);
    }
    fputs("],\n", file);
    return err;
}

static int put_losses(const struct store_stat *stat, FILE *file)
{
    int err = 0;
    fputs(" \"losses\": [", file);
    for (size_t i = 0; i < stat->losses.count && !err; i++) {
        const struct loss_sum *sum = &stat->losses.sums[i];
        const char *const texts[][2] = {{"name", sum->name}, {"meaning", loss_list__meaning(sum->name)}};
        fputs(i == 0 ? "\n  {" : ",\n  {", file);
        err = put_texts(file, ", ", texts, 2);
        fprintf(file, "\"count\": %" PRIu64 "}", sum->count);
    }
    fputs("],\n", file);
    return err;
}

int store_stat__print_json(const struct store_stat *stat, FILE *file)
{
    const struct store_meta *meta = store_reader__meta(stat->reader);
    const struct store_damage *damage = store_reader__damage(stat->reader);
    const char *const texts[][2] = {{"store", stat->path}, {"host", meta->host},       {"kernel", meta->kernel},
                                    {"arch", meta->arch},  {"version", meta->version}, {"command", meta->command}};
    const struct {
        const char *name;
        uint64_t number;
    } numbers[] = {
        {"cpu_count", meta->cpu_count},
        {"start_ns", stat->first_ns},
        {"end_ns", stat->last_ns},
        {"covered_ns", stat->covered_ns},
        {"gaps", stat->gaps.count},
        {"gaps_ns", stat->gaps.sum_ns},
        {"intervals", stat->losses.interval_count},
        {"samples", stat->samples},
        {"values", stat->size.values},
        {"processes", store_reader__process_count(stat->reader)},
        {"threads", store_reader__thread_count(stat->reader)},
        {"binaries", store_reader__binary_count(stat->reader)},
        {"functions", stat->size.functions},
        {"frames", stat->size.frames},
        {"stack_nodes", stat->size.nodes},
        {"files", stat->size.files},
        {"bytes", stat->size.bytes},
        {"own_cpu_ns", stat->losses.own_cpu_ns},
        {"own_bpf_ns", stat->losses.own_bpf_ns},
        {"peak_rss_bytes", stat->peak_rss_bytes},
        {"peak_map_bytes", stat->peak_map_bytes},
        {"own_written_bytes", stat->written_bytes},
        {"damaged_places", damage->places},
        {"damaged_samples", damage->samples},
    };
    fputs("{", file);
    int err = put_texts(file, ",\n ", texts, sizeof(texts) / sizeof(texts[0]));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        fprintf(file, "%s\"%s\": %" PRIu64 ",\n", i == 0 ? "" : " ", numbers[i].name, numbers[i].number);
    if (!err)
        err = put_events(stat, file);
    if (!err)
        err = put_losses(stat, file);
    fprintf(file, " \"bytes_per_sample\": %.3f,\n \"own_cpu_pct\": %.4f}\n", bytes_per_sample(stat), own_cpu_pct(stat));
    return err;
}
