#include "collector/metrics/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP_FIRST_NS 7  // 127 ns
#define STEP_LAST     40 // 18 min in ns, 1 TiB in bytes

struct text {
    struct buf *buf;
    enum metrics_format format;
};

struct family {
    const char *name, *type, *unit, *help; // unit "": none
};

static const char *const loss_names[] = {
#define LOSS(name, text, meaning) text,
#include "bpf/wire/losses.def"
#undef LOSS
};

// The older format has no units, and a counter's name there is that of its samples.
static void begin(const struct text *text, const struct family *family)
{
    bool is_open = text->format == METRICS_OPENMETRICS, is_counter = strcmp(family->type, "counter") == 0;
    const char *end = is_counter && !is_open ? "_total" : "";
    buf__append_format(text->buf, "# TYPE %s%s %s\n", family->name, end, family->type);
    if (is_open && *family->unit)
        buf__append_format(text->buf, "# UNIT %s %s\n", family->name, family->unit);
    buf__append_format(text->buf, "# HELP %s%s %s\n", family->name, end, family->help);
}

static void put_label(struct buf *buf, const char *name, const char *value)
{
    buf__append_format(buf, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n') {
            buf__append_string(buf, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"')
            buf__append_byte(buf, '\\');
        buf__append_byte(buf, (uint8_t)*value);
    }
    buf__append_byte(buf, '"');
}

// In seconds, where it is in ns.
static void put_amount(struct buf *buf, wide amount, bool is_ns)
{
    char digits[WIDE_TEXT_BYTES];
    wide divisor = is_ns ? 1000000000 : 1, magnitude = amount < 0 ? -amount : amount;
    buf__append_format(buf, "%s%s", amount < 0 ? "-" : "", wide__text(magnitude / divisor, digits));
    if (is_ns)
        buf__append_format(buf, ".%09" PRIu64, (uint64_t)(magnitude % divisor));
    buf__append_byte(buf, '\n');
}

// --- One number

static void put_number(const struct text *text, const struct family *family, uint64_t number)
{
    bool is_ns = strcmp(family->unit, "seconds") == 0;
    begin(text, family);
    buf__append_format(text->buf, "%s%s ", family->name, strcmp(family->type, "counter") == 0 ? "_total" : "");
    put_amount(text->buf, number, is_ns);
}

static void put_numbers(const struct text *text, const struct metrics_totals *totals)
{
    const struct {
        struct family family;
        uint64_t number;
    } rows[] = {
        {{"hearth_cpu_seconds", "counter", "seconds", "CPU time of all processes"}, totals->cpu_ns},
        {{"hearth_intervals", "counter", "", "Intervals that were recorded"}, totals->intervals},
        {{"hearth_last_interval_end_timestamp_seconds", "gauge", "seconds", "When the last interval ended"},
         totals->last_end_ns},
        {{"hearth_incidents", "counter", "", "Incidents: a rule of the daemon's file held"}, totals->incidents},
        {{"hearth_own_cpu_seconds", "counter", "seconds", "CPU time of the daemon and its helpers"},
         totals->own_cpu_ns},
        {{"hearth_own_bpf_seconds", "counter", "seconds", "CPU time of the BPF programs, where the kernel counts it"},
         totals->own_bpf_ns},
        {{"hearth_own_written_bytes", "counter", "bytes", "Bytes written to the stores"}, totals->own_written_bytes},
        {{"hearth_own_resident_memory_bytes", "gauge", "bytes", "Resident memory of the daemon and its helpers"},
         totals->own_rss_bytes},
        {{"hearth_own_map_bytes", "gauge", "bytes", "Kernel memory of the BPF maps"}, totals->own_map_bytes},
        {{"process_cpu_seconds", "counter", "seconds", "CPU time of the process that answers, which is in no other"},
         totals->server_cpu_ns},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        put_number(text, &rows[i].family, rows[i].number);
}

// --- By name

static const struct by {
    struct family family;
    const char *label;
} bys[METRICS_BY_COUNT] = {
    [METRICS_BY_UNIT] = {{"hearth_unit_cpu_seconds", "counter", "seconds", "CPU time by systemd unit"}, "unit"},
    [METRICS_BY_COMM] = {{"hearth_comm_cpu_seconds", "counter", "seconds", "CPU time by comm, the name of threads"},
                         "comm"},
    [METRICS_BY_BINARY] = {{"hearth_binary_cpu_seconds", "counter", "seconds", "CPU time by the process's binary"},
                           "binary"},
};

static void put_name(const struct text *text, const struct by *by, const char *name, uint64_t ns)
{
    buf__append_format(text->buf, "%s_total{", by->family.name);
    put_label(text->buf, by->label, name);
    buf__append_string(text->buf, "} ");
    put_amount(text->buf, ns, true);
}

static void put_names(const struct text *text, const struct metrics_totals *totals)
{
    for (size_t i = 0; i < METRICS_BY_COUNT; i++) {
        begin(text, &bys[i].family);
        for (size_t j = 0; j < totals->name_count[i]; j++)
            put_name(text, &bys[i], totals->names[i][j].name, totals->names[i][j].told_ns);
        put_name(text, &bys[i], METRICS_OTHERS, totals->others_ns[i]);
    }
}

static void put_losses(const struct text *text, const struct metrics_totals *totals)
{
    static const struct family family = {"hearth_losses", "counter", "",
                                         "What was lost or cut, by its name in `hearth stat`"};
    begin(text, &family);
    for (size_t i = 0; i < WIRE_LOSS_COUNT; i++) {
        buf__append_string(text->buf, "hearth_losses_total{");
        put_label(text->buf, "loss", loss_names[i]);
        buf__append_format(text->buf, "} %" PRIu64 "\n", totals->losses[i]);
    }
}

// --- Histograms

static const struct family histogram_families[METRICS_UNIT_COUNT] = {
    [METRICS_SECONDS] = {"hearth_event_seconds", "histogram", "seconds", "Latencies, by the event's name"},
    [METRICS_BYTES] = {"hearth_event_bytes", "histogram", "bytes", "Sizes, by the event's name"},
    [METRICS_VALUES] = {"hearth_event_value", "histogram", "", "Other values, by the event's name"},
};

static void put_histogram_name(const struct text *text, const struct metrics_histogram *histogram, const char *end)
{
    buf__append_format(text->buf, "%s%s{", histogram_families[histogram->unit].name, end);
    put_label(text->buf, "event", histogram->event);
    if (*histogram->key) {
        buf__append_byte(text->buf, ',');
        put_label(text->buf, "key", histogram->key);
    }
}

static void put_bucket(const struct text *text, const struct metrics_histogram *histogram, const char *le,
                       uint64_t count)
{
    put_histogram_name(text, histogram, "_bucket");
    buf__append_format(text->buf, ",le=\"%s\"} %" PRIu64 "\n", le, count);
}

// OpenMetrics wants "1.0".
static void word_bound(enum metrics_unit unit, unsigned step, char *out, size_t size)
{
    uint64_t most = (1ull << step) - 1;
    if (unit == METRICS_SECONDS)
        snprintf(out, size, "%.12g", (double)most / 1e9);
    else
        snprintf(out, size, "%" PRIu64 ".0", most);
}

static void put_buckets(const struct text *text, const struct metrics_histogram *histogram)
{
    char le[32];
    uint64_t below = 0;
    unsigned first = histogram->unit == METRICS_SECONDS ? STEP_FIRST_NS : 0;
    for (unsigned step = 0; step <= STEP_LAST; step++) {
        below += histogram->steps[step];
        if (step < first)
            continue;
        word_bound(histogram->unit, step, le, sizeof(le));
        put_bucket(text, histogram, le, below);
    }
    put_bucket(text, histogram, "+Inf", histogram->count);
}

// With values below 0 the sum may fall, and a counter may not.
static void put_histogram(const struct text *text, const struct metrics_histogram *histogram)
{
    put_buckets(text, histogram);
    if (histogram->has_negative)
        return;
    put_histogram_name(text, histogram, "_sum");
    buf__append_string(text->buf, "} ");
    put_amount(text->buf, histogram->sum, histogram->unit == METRICS_SECONDS);
    put_histogram_name(text, histogram, "_count");
    buf__append_format(text->buf, "} %" PRIu64 "\n", histogram->count);
}

static void put_histograms(const struct text *text, const struct metrics_totals *totals)
{
    for (size_t unit = 0; unit < METRICS_UNIT_COUNT; unit++) {
        begin(text, &histogram_families[unit]);
        for (size_t i = 0; i < totals->histogram_count; i++)
            if (totals->histograms[i].unit == unit)
                put_histogram(text, &totals->histograms[i]);
    }
}

static void put_unmatched(const struct text *text, const struct metrics_totals *totals)
{
    static const struct family family = {"hearth_event_unmatched", "counter", "",
                                         "Begins without an end and ends without a begin, in no histogram"};
    begin(text, &family);
    for (size_t i = 0; i < totals->histogram_count; i++) {
        const struct metrics_histogram *histogram = &totals->histograms[i];
        buf__append_string(text->buf, "hearth_event_unmatched_total{");
        put_label(text->buf, "event", histogram->event);
        if (*histogram->key) {
            buf__append_byte(text->buf, ',');
            put_label(text->buf, "key", histogram->key);
        }
        buf__append_format(text->buf, "} %" PRIu64 "\n", histogram->unmatched);
    }
}

void metrics_text__append(struct buf *buf, const struct metrics_totals *totals, enum metrics_format format)
{
    const struct text text = {.buf = buf, .format = format};
    static const struct family build = {"hearth_build_info", "gauge", "", "The version of hearth"};
    begin(&text, &build);
    buf__append_string(buf, "hearth_build_info{version=\"" HEARTH_VERSION "\"} 1\n");
    put_numbers(&text, totals);
    put_names(&text, totals);
    put_losses(&text, totals);
    put_histograms(&text, totals);
    put_unmatched(&text, totals);
    if (format == METRICS_OPENMETRICS)
        buf__append_string(buf, "# EOF\n");
}
