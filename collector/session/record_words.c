#include "collector/session/record_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_unwind(const char *text, void *target, struct fault *fault)
{
    static const struct {
        const char *name;
        enum wire_unwind unwind;
    } ways[] = {
        {"auto", WIRE_UNWIND_AUTO}, {"table", WIRE_UNWIND_TABLE}, {"fp", WIRE_UNWIND_FP}, {"copy", WIRE_UNWIND_COPY}};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(text, ways[i].name) == 0) {
            *(enum wire_unwind *)target = ways[i].unwind;
            return 0;
        }
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no way to unwind '%s'; use auto, table, fp or copy", text);
}

static const char all_runtimes[] =
#define GUEST(guest, number, spelled, ...) spelled ", "
#include "bpf/wire/guests.def"
#undef GUEST
    "none";

static uint64_t bit_of_runtime(const char *name, size_t length)
{
    static const struct {
        const char *name;
        unsigned kind;
    } runtimes[] = {
#define GUEST(guest, number, spelled, ...) {spelled, number},
#include "bpf/wire/guests.def"
#undef GUEST
    };
    for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
        if (strlen(runtimes[i].name) == length && memcmp(runtimes[i].name, name, length) == 0)
            return 1ull << runtimes[i].kind;
    return 0;
}

// Names with commas between them, or "none".
static int parse_runtimes(const char *text, void *target, struct fault *fault)
{
    uint64_t wanted = 0;
    for (const char *at = text; strcmp(text, "none") != 0 && at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        uint64_t bit = bit_of_runtime(at, strcspn(at, ","));
        if (!bit)
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no runtime '%s'; use %s", text, all_runtimes);
        wanted |= bit;
    }
    *(uint64_t *)target = ~wanted;
    return 0;
}

// The sum of wall time is exact thread by thread.
static int add_wall(const char *text, void *target, struct fault *fault)
{
    struct record_words *words = target;
    (void)text;
    words->threads = true;
    return option__list("wall", &words->events, fault);
}

static const struct option_row hist_rows[] = {HIST_OPTION_ROWS("of --hist, "), {0}};

#define AT(member) offsetof(struct record_words, member)
const struct option_row record_word_rows[] = {
    {'e', "event", "EVENT", "an event to sample (cpu); may be given several times", option__list, AT(events)},
    {0, "wall", NULL, "the time of each thread, on the CPU and off it, in one picture: as -e wall --threads", add_wall,
     0},
    {0, "hist", "PROBE", "a histogram beside the events, as `hearth hist PROBE` makes it; may be given several times",
     option__list, AT(hists)},
    OPTION_ROWS_OF(hist_rows, struct record_words, hist_words),
    OPTION_ROWS_OF(target_option_rows, struct record_words, target),
    {'F', "freq", "HZ", "samples a second and CPU, of clocks and hardware counters (99)", option__u64,
     AT(frequency_hz)},
    {'c', "count", "PERIOD", "a sample each PERIOD events instead of -F", option__u64, AT(period)},
    {0, "min-block", "SECONDS", "off-cpu counts only waits of at least this time", option__seconds_ns, AT(min_wait_ns)},
    {0, "max-block", "SECONDS", "off-cpu counts only waits of at most this time", option__seconds_ns, AT(max_wait_ns)},
    {0, "max-cpu", "PCT", "sampling takes at most this share of a CPU: fewer samples are taken, and weigh more (20%)",
     option__share, AT(bpf_share)},
    {'d', "duration", "SECONDS", "end after so long", option__seconds_ns, AT(duration_ns)},
    {'i', "interval", "SECONDS", "how often the kernel's maps are drained (5)", option__seconds_ns, AT(drain_ns)},
    {'o', "output", "FILE",
     "a store (hearth.db), or a report as its name ends: .html .svg .folded .txt .json ...; -: top, to stdout",
     option__string, AT(output)},
    {0, "unwind", "HOW", "user stacks by auto, table, fp, or copy: to user space, for one process", parse_unwind,
     AT(unwind)},
    {0, "runtimes", "LIST",
     "whose functions stand in stacks: "
#define GUEST(guest, number, spelled, ...) spelled ", "
#include "bpf/wire/guests.def"
#undef GUEST
     "none; all that are known by default",
     parse_runtimes, AT(guests_off)},
    {0, "threads", NULL, "keep the threads of a process apart", option__flag, AT(threads)},
    {0, "no-inline", NULL, "do not look for inlined functions", option__no_flag, AT(inlined)},
    {0},
};

int record_words__check(const struct record_words *words, struct hist_options *ret_hist, struct fault *fault)
{
    const char *first = hist_words__first(&words->hist_words);
    if (first && !words->hists.count)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s is for histograms: name one with --hist PROBE",
                               first);
    int err = hist_options__parse(&words->hist_words, ret_hist, fault);
    if (!err && words->frequency_hz && words->period)
        err = fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "-F and -c exclude each other");
    return err;
}

int record_words__list_events(const struct record_words *words, const struct hist_options *hist,
                              struct recorder_event **ret_events, size_t *ret_count, struct fault *fault)
{
    struct recorder_event *events = calloc(words->events.count + words->hists.count + 1, sizeof(*events));
    size_t count = 0;
    if (!events)
        return fault__set(fault, -ENOMEM, "out of memory");
    for (size_t i = 0; i < words->events.count; i++)
        events[count++] = (struct recorder_event){.spelled = words->events.values[i]};
    if (!count)
        events[count++] = (struct recorder_event){.spelled = "cpu"};
    for (size_t i = 0; i < words->hists.count; i++)
        events[count++] = (struct recorder_event){.spelled = words->hists.values[i], .hist = hist};
    *ret_events = events;
    *ret_count = count;
    return 0;
}

struct recorder_options record_words__options(const struct record_words *words, const struct hist_options *hist)
{
    uint64_t frequency_hz = words->frequency_hz ? words->frequency_hz : 99;
    return (struct recorder_options){
        .frequency_hz = words->period ? 0 : frequency_hz,
        .period = words->period,
        .min_wait_ns = words->min_wait_ns,
        .max_wait_ns = words->max_wait_ns,
        .bpf_share = words->bpf_share,
        .drain_ns = words->drain_ns,
        .duration_ns = words->duration_ns,
        .target = &words->target,
        .no_inline = !words->inlined,
        .unwind = words->unwind,
        .guests_off = words->guests_off,
        .keep_threads = words->threads || hist->by == WIRE_HIST_BY_TID,
    };
}
