#include "report/query/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/reader/reader_questions.h"

static bool shares_name(const struct store_reader *reader, const struct store_event *event)
{
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++) {
        const struct store_event *other = store_reader__event(reader, i);
        if (other->is_histogram != event->is_histogram && strcmp(other->name, event->name) == 0)
            return true;
    }
    return false;
}

void source__list_events(const struct store_reader *reader, bool only_histograms, const struct store_event *but,
                         char *ret_list, size_t bytes)
{
    *ret_list = '\0';
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++) {
        const struct store_event *event = store_reader__event(reader, i);
        size_t used = strlen(ret_list);
        if (event != but && (event->is_histogram || !only_histograms))
            snprintf(ret_list + used, bytes - used, "%s%s%s", used ? ", " : "", event->name,
                     event->is_histogram && shares_name(reader, event) ? " (histogram)" : "");
    }
}

static int no_event(struct store_reader *reader, const char *name, struct fault *fault)
{
    char list[320];
    source__list_events(reader, false, NULL, list, sizeof(list));
    if (!*list)
        return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "the store holds no events yet");
    if (name)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no event '%s' in the store; it holds %s", name, list);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "which event? choose with -e; the store holds %s", list);
}

// How well an event serves: as a histogram, or for the stacks of its samples.
static unsigned fitness(const struct store_event *event, bool for_histogram)
{
    if (for_histogram)
        return event->is_histogram ? 3 : 1;
    return !event->is_histogram ? 3 : event->is_doubled ? 2 : 1;
}

// The fittest of that name (NULL: of all), the first of several as fit; and how many are.
static uint32_t find_fittest(const struct store_reader *reader, const char *name, bool for_histogram,
                             uint32_t *ret_as_fit)
{
    unsigned best = 0;
    uint32_t found = 0;
    *ret_as_fit = 0;
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++) {
        const struct store_event *event = store_reader__event(reader, i);
        unsigned fit = name && strcmp(event->name, name) != 0 ? 0 : fitness(event, for_histogram);
        if (fit > best) {
            best = fit;
            found = i;
            *ret_as_fit = 0;
        }
        *ret_as_fit += fit && fit == best;
    }
    return found;
}

// By name; else the only one that serves best; else "cpu"; else the first, if that will do.
static int choose_event(struct store_reader *reader, const char *name, enum source_wish wish, struct fault *fault,
                        uint32_t *ret_event)
{
    bool for_histogram = wish == SOURCE_HISTOGRAM;
    uint32_t as_fit, found = find_fittest(reader, name, for_histogram, &as_fit);
    if (!name && as_fit > 1) {
        uint32_t cpu = find_fittest(reader, "cpu", for_histogram, &as_fit);
        found = cpu || wish != SOURCE_FIRST_STACKS ? cpu : found;
    }
    if (!found)
        return no_event(reader, name, fault);
    *ret_event = found;
    return 0;
}

static int set_bucket(struct source *source, const struct report_request *request, struct fault *fault)
{
    if (!request->has_bucket_low && !request->has_bucket_high)
        return 0;
    if (!source->event->is_histogram)
        return source__no_buckets(source, fault);
    source->query.has_buckets = true;
    source->query.bucket_first =
        (uint16_t)(request->has_bucket_low ? bucket__of_wide(request->bucket_low) : bucket__at_rank(0));
    source->query.bucket_last =
        (uint16_t)(request->has_bucket_high ? bucket__of_wide(request->bucket_high - 1) : BUCKET_COUNT - 1);
    return 0;
}

int source__open(const char *path, const struct report_request *request, enum source_wish wish, struct fault *fault,
                 struct source *source)
{
    uint32_t event = 0;
    source->for_histogram = wish == SOURCE_HISTOGRAM;
    if (request->has_bucket_low || request->has_bucket_high)
        wish = SOURCE_HISTOGRAM;
    source->path = path;
    struct store_part part = {.since_ns = request->since_ns, .until_ns = request->until_ns};
    int err = imported__open(path, fault, &source->imported);
    if (!err)
        err = store_reader__open_part(source->imported.path, &part, fault, &source->reader);
    if (!err)
        err = choose_event(source->reader, request->event, wish, fault, &event);
    if (err)
        return err;
    source->event = store_reader__event(source->reader, event);
    source->has_others = !request->event && store_reader__event_count(source->reader) > 1;
    source->measure = strcmp(source->event->unit, "samples") == 0 ? LAYOUT_SAMPLES : LAYOUT_VALUE;
    source->query = (struct store_query){
        .event = event,
        .since_ns = request->since_ns,
        .until_ns = request->until_ns,
        .pids = request->pids,
        .pid_count = request->pid_count,
        .tids = request->tids,
        .tid_count = request->tid_count,
        .comm = request->comm,
        .cgroup = request->cgroup,
        .unit = request->unit,
        .container = request->container,
        .pod = request->pod,
        .has_uid = request->has_uid,
        .uid = request->uid,
    };
    return set_bucket(source, request, fault);
}

void source__release(struct source *source)
{
    loss_list__release(&source->losses);
    store_reader__free(source->reader);
    source->reader = NULL;
    imported__release(&source->imported);
}

static int add_losses(const struct store_interval_row *row, void *context)
{
    return loss_list__add(context, &row->interval);
}

int source__add_losses(struct source *source, struct fault *fault)
{
    return store_reader__intervals(source->reader, &source->query, fault, add_losses, &source->losses);
}

static int widen(const struct store_interval_row *row, void *context)
{
    fold_extent__widen(context, &row->interval);
    return 0;
}

int source__widen(struct source *source, struct fault *fault)
{
    return store_reader__intervals(source->reader, &source->query, fault, widen, &source->extent);
}

static int count_histogram(const struct store_interval_row *row, const struct store_histogram *histogram, void *context)
{
    uint64_t *count = context;
    (void)row;
    (void)histogram;
    ++*count;
    return 0;
}

// Whether stacks were asked for, of a histogram that was recorded without them.
static int lacks_stacks(const struct source *source, struct fault *fault, bool *ret_lacks)
{
    const struct store_query all = {.event = source->query.event};
    uint64_t count = 0;
    int err = source->for_histogram || !source->event->is_histogram || source->event->is_doubled
                  ? 0
                  : store_reader__histograms(source->reader, &all, fault, count_histogram, &count);
    *ret_lacks = count != 0;
    return err;
}

int source__nothing(struct source *source, struct fault *fault)
{
    struct fold_extent held = {0};
    struct store_query all = {.event = source->query.event};
    const char *event = source->event->name;
    bool lacks = false;
    int err = store_reader__intervals(source->reader, &all, fault, widen, &held);
    if (!err)
        err = lacks_stacks(source, fault, &lacks);
    if (err)
        return err;
    if (lacks)
        return fault__set_code(
            fault, EXIT_CODE_EMPTY, -ENODATA,
            "no stacks of '%s' in '%s': it is a histogram, which -f hist shows; --stacks, when it is "
            "recorded, keeps them",
            event, source->path);
    if (!held.rows)
        return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "nothing of '%s' in '%s'", event, source->path);
    char since[FORMAT_TIME_BYTES], until[FORMAT_TIME_BYTES];
    format__time(held.since_ns, since);
    format__time(held.until_ns, until);
    return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA,
                           "nothing of '%s' in that range and with those filters; '%s' holds %s to %s", event,
                           source->path, since, until);
}

int source__no_buckets(const struct source *source, struct fault *fault)
{
    char list[320];
    source__list_events(source->reader, true, NULL, list, sizeof(list));
    if (*list)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "the event '%s' has no buckets; choose with -e: the store has them of %s",
                               source->event->name, list);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "the event '%s' has no buckets; record a histogram with `hearth record --hist PROBE`",
                           source->event->name);
}
