#include "report/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void source__list_events(const struct store_reader *reader, const struct store_event *but, char *ret_list, size_t bytes)
{
    *ret_list = '\0';
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++) {
        const struct store_event *event = store_reader__event(reader, i);
        size_t used = strlen(ret_list);
        if (event != but)
            snprintf(ret_list + used, bytes - used, "%s%s", used ? ", " : "", event->name);
    }
}

static int no_event(struct store_reader *reader, const char *name, struct fault *fault)
{
    char list[320];
    source__list_events(reader, NULL, list, sizeof(list));
    if (!*list)
        return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "the store holds no events yet");
    if (name)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no event '%s' in the store; it holds %s", name, list);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "which event? choose with -e; the store holds %s", list);
}

// By name; else the only one there is; else "cpu".
static int choose_event(struct store_reader *reader, const char *name, struct fault *fault, uint32_t *ret_event)
{
    uint32_t count = store_reader__event_count(reader);
    const char *wanted = name ? name : "cpu";
    for (uint32_t i = 1; i <= count; i++)
        if (strcmp(store_reader__event(reader, i)->name, wanted) == 0) {
            *ret_event = i;
            return 0;
        }
    if (name || count != 1)
        return no_event(reader, name, fault);
    *ret_event = 1;
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

int source__open(const char *path, const struct report_request *request, struct fault *fault, struct source *source)
{
    uint32_t event = 0;
    source->path = path;
    int err = store_reader__open(path, fault, &source->reader);
    if (!err)
        err = choose_event(source->reader, request->event, fault, &event);
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

int source__nothing(struct source *source, struct fault *fault)
{
    struct fold_extent held = {0};
    struct store_query all = {.event = source->query.event};
    const char *event = source->event->name;
    int err = store_reader__intervals(source->reader, &all, fault, widen, &held);
    if (err)
        return err;
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
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "the event '%s' has no buckets; record a histogram with `hearth hist --stacks`",
                           source->event->name);
}
