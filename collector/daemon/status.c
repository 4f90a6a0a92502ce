#include "collector/daemon/status.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/safe_text.h"
#include "store/directory/listing.h"

static void put_time(FILE *file, uint64_t ns, const char *format)
{
    char text[32] = "?";
    struct tm local;
    time_t seconds = (time_t)(ns / 1000000000u);
    if (localtime_r(&seconds, &local))
        strftime(text, sizeof(text), format, &local);
    fputs(text, file);
}

static void put_amount(FILE *file, uint64_t amount, const char *unit)
{
    char text[TEXT_AMOUNT_BYTES];
    text__amount(amount, unit, text);
    fputs(text, file);
}

static void put_clean(FILE *file, const char *text)
{
    _cleanup_free_ char *clean = safe_text__dup(text);
    fputs(clean ? clean : "?", file);
}

// --- What the directory holds of each tier

struct tier_files {
    uint64_t files, bytes;
    uint32_t first_day;
};

static uint64_t count_tiers(const char *directory, struct tier_files tiers[STORE_TIER_COUNT])
{
    _cleanup_(listing__release) struct listing listing = {0};
    if (listing__read(directory, NULL, &listing) != 0)
        return 0;
    for (size_t i = 0; i < listing.count; i++) {
        const struct day_file *file = &listing.items[i].file;
        struct tier_files *tier = &tiers[file->tier];
        if (!tier->files++ || file->day < tier->first_day)
            tier->first_day = file->day;
        tier->bytes += listing.items[i].bytes;
    }
    return listing.bytes;
}

static void put_day(FILE *file, uint32_t day)
{
    time_t seconds = (time_t)day * 86400;
    char text[16];
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof(text), "%Y-%m-%d", &utc);
    fputs(text, file);
}

// --- Text

static void print_rate(const struct recorder_event_status *event, FILE *file)
{
    if (event->is_histogram)
        fputs("a histogram of each hit", file);
    else if (event->frequency_hz)
        fprintf(file, "%" PRIu64 " Hz", event->frequency_hz);
    else if (event->period > 1)
        fprintf(file, "a sample each %" PRIu64 " hits", event->period);
    else
        fputs("each hit", file);
    if (event->halvings)
        fprintf(file, "; of these one in %" PRIu64 " is taken, to keep to the budget", UINT64_C(1) << event->halvings);
}

static void print_events(const struct status *status, FILE *file)
{
    const struct recorder_status *recording = &status->recording;
    for (size_t i = 0; i < recording->event_count; i++) {
        fputs(i == 0 ? "events     " : "           ", file);
        put_clean(file, recording->events[i].spelled);
        fputs(": ", file);
        print_rate(&recording->events[i], file);
        fputc('\n', file);
    }
}

static size_t count_lowered(const struct recorder_status *recording)
{
    size_t count = 0;
    for (size_t i = 0; i < recording->event_count; i++)
        count += recording->events[i].halvings > 0;
    return count;
}

static double cost_pct(const struct recorder_status *recording)
{
    const struct store_interval *last = &recording->last;
    double length_ns = (double)(last->end_ns - last->start_ns);
    return length_ns > 0 ? 100 * (double)(last->own_cpu_ns + last->own_bpf_ns) / length_ns : 0;
}

static void print_interval(const struct recorder_status *recording, FILE *file)
{
    const struct store_interval *last = &recording->last;
    fputs("interval   ", file);
    if (!last->end_ns) {
        fputs("none yet\n", file);
        return;
    }
    put_time(file, last->start_ns, "%F %T");
    fputs(" to ", file);
    put_time(file, last->end_ns, "%T");
    fprintf(file, ": %" PRIu64 " samples, %" PRIu64 " lost\nown cost   ", recording->last_samples,
            recording->last_lost);
    put_amount(file, last->own_cpu_ns, "ns");
    fputs(" of CPU and ", file);
    put_amount(file, last->own_bpf_ns, "ns");
    fprintf(file, " in the kernel in that interval: %.3f %% of a CPU; ", cost_pct(recording));
    put_amount(file, last->own_rss_bytes, "bytes");
    fputs(" of memory\n", file);
}

static void print_directory(const struct status *status, FILE *file)
{
    struct tier_files tiers[STORE_TIER_COUNT] = {0};
    uint64_t bytes = count_tiers(status->directory, tiers);
    fputs("size       ", file);
    put_amount(file, bytes, "bytes");
    fputs(" of ", file);
    put_amount(file, status->keep_bytes, "bytes");
    fputs(" (--keep-bytes)", file);
    for (enum store_tier tier = 0; tier < STORE_TIER_COUNT; tier++) {
        if (!tiers[tier].files)
            continue;
        fprintf(file, "; %s since ", store_tier__row(tier)->word);
        put_day(file, tiers[tier].first_day);
    }
    fputs(" (UTC)\n", file);
}

static void print_sides(const struct status *status, FILE *file)
{
    struct side_shown side;
    size_t i;
    for (i = 0; side_recordings__show(status->sides, i, &side); i++) {
        fputs(i == 0 ? "beside     record " : "           record ", file);
        put_clean(file, side.words);
        fputs(" since ", file);
        put_time(file, side.begun_ns, "%T");
        fputs(", because of ", file);
        put_clean(file, side.why);
        fputs(", into ", file);
        put_clean(file, side.path);
        fputc('\n', file);
    }
    if (i == 0)
        fputs("beside     no other recording\n", file);
}

static void print_text(const struct status *status, FILE *file)
{
    const struct recorder_status *recording = &status->recording;
    fprintf(file, "daemon     hearth " HEARTH_VERSION ", PID %d, runs since ", (int)getpid());
    put_time(file, status->since_ns, "%F %T");
    fputs("\nrecords    into ", file);
    put_clean(file, status->directory);
    fputs(" since ", file);
    put_time(file, recording->since_ns, "%F %T");
    fputs("; `hearth stat -i ", file);
    put_clean(file, status->directory);
    fputs("` tells what that holds\n", file);
    print_events(status, file);
    fprintf(file, "budget     max-cpu %.3g %% of each CPU: %zu of %zu events take fewer hits to keep to it\n",
            100 * recording->bpf_share, count_lowered(recording), recording->event_count);
    print_interval(recording, file);
    print_directory(status, file);
    print_sides(status, file);
}

// --- JSON

static void put_text(FILE *file, const char *name, const char *text)
{
    _cleanup_free_ char *clean = safe_text__dup(text);
    fprintf(file, "\"%s\": ", name);
    text__put_json(file, clean ? clean : "?");
}

static void put_events(const struct recorder_status *recording, FILE *file)
{
    fputs(" \"events\": [", file);
    for (size_t i = 0; i < recording->event_count; i++) {
        const struct recorder_event_status *event = &recording->events[i];
        fputs(i ? ",\n  {" : "\n  {", file);
        put_text(file, "name", event->spelled);
        fprintf(file,
                ", \"is_histogram\": %s, \"frequency_hz\": %" PRIu64 ", \"period\": %" PRIu64
                ", \"hits_a_sample\": %" PRIu64 "}",
                event->is_histogram ? "true" : "false", event->frequency_hz, event->period,
                UINT64_C(1) << event->halvings);
    }
    fputs("],\n", file);
}

static void put_interval(const struct recorder_status *recording, FILE *file)
{
    const struct store_interval *last = &recording->last;
    fprintf(file,
            " \"interval\": {\"start_ns\": %" PRIu64 ", \"end_ns\": %" PRIu64 ", \"samples\": %" PRIu64
            ", \"lost\": %" PRIu64 ", \"own_cpu_ns\": %" PRIu64 ", \"own_bpf_ns\": %" PRIu64
            ", \"own_rss_bytes\": %" PRIu64 "},\n",
            last->start_ns, last->end_ns, recording->last_samples, recording->last_lost, last->own_cpu_ns,
            last->own_bpf_ns, last->own_rss_bytes);
}

static void put_tiers(const struct status *status, FILE *file)
{
    struct tier_files tiers[STORE_TIER_COUNT] = {0};
    uint64_t bytes = count_tiers(status->directory, tiers);
    bool is_first = true;
    fprintf(file, " \"bytes\": %" PRIu64 ", \"keep_bytes\": %" PRIu64 ",\n \"tiers\": [", bytes, status->keep_bytes);
    for (enum store_tier tier = 0; tier < STORE_TIER_COUNT; tier++) {
        if (!tiers[tier].files)
            continue;
        fprintf(file, "%s{\"name\": \"%s\", \"files\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"first_day\": \"",
                is_first ? "" : ", ", store_tier__row(tier)->word, tiers[tier].files, tiers[tier].bytes);
        put_day(file, tiers[tier].first_day);
        fputs("\"}", file);
        is_first = false;
    }
    fputs("],\n", file);
}

static void put_sides(const struct status *status, FILE *file)
{
    struct side_shown side;
    fputs(" \"beside\": [", file);
    for (size_t i = 0; side_recordings__show(status->sides, i, &side); i++) {
        fprintf(file, "%s{\"begun_ns\": %" PRIu64 ", ", i ? ", " : "", side.begun_ns);
        put_text(file, "words", side.words);
        fputs(", ", file);
        put_text(file, "why", side.why);
        fputs(", ", file);
        put_text(file, "path", side.path);
        fputc('}', file);
    }
    fputs("]}\n", file);
}

static void print_json(const struct status *status, FILE *file)
{
    fputs("{", file);
    put_text(file, "version", HEARTH_VERSION);
    fprintf(file, ", \"pid\": %d,\n ", (int)getpid());
    put_text(file, "directory", status->directory);
    fprintf(file, ",\n \"since_ns\": %" PRIu64 ", \"recording_since_ns\": %" PRIu64 ", \"max_cpu_pct\": %.6g,\n",
            status->since_ns, status->recording.since_ns, 100 * status->recording.bpf_share);
    put_events(&status->recording, file);
    put_interval(&status->recording, file);
    put_tiers(status, file);
    put_sides(status, file);
}

status_print_fn *status__format(const char *name)
{
    static const struct {
        const char *name;
        status_print_fn *print;
    } formats[] = {{"text", print_text}, {"json", print_json}};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].print;
    return NULL;
}
