#include "report/top/top_window.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/profile/fold.h"
#include "report/profile/group.h"
#include "store/base/cleanup.h"
#include "store/reader/reader.h"
#include "store/reader/reader_questions.h"

DEFINE_CLEANUP(struct store_reader *, store_reader__free);

struct reading {
    const struct top_window_request *request;
    struct top_window window;
    struct fold_extent extent;
};

void top_window__release(struct top_window *window)
{
    profile__free(window->by_process);
    profile__free(window->by_unit);
    loss_list__release(&window->losses);
    *window = (struct top_window){0};
}

static void reading__release(struct reading *reading)
{
    top_window__release(&reading->window);
}

static int new_profile(const char *key, struct profile **ret_profile)
{
    struct fault fault;
    struct profile_options options = {.grain = PROFILE_BY_FUNCTION};
    int err = group__option(key, &options.group, &fault);
    return err ? err : profile__new(&options, ret_profile);
}

static uint32_t find_event(const struct store_reader *reader, const char *name)
{
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++) {
        const struct store_event *event = store_reader__event(reader, i);
        if (!event->is_histogram && strcmp(event->name, name) == 0)
            return i;
    }
    return 0;
}

// Each interval, with samples or without.
static int add_interval(const struct store_interval_row *row, void *context)
{
    struct reading *reading = context;
    fold_extent__widen(&reading->extent, &row->interval);
    return loss_list__add(&reading->window.losses, &row->interval);
}

static int read_event(struct reading *reading, struct store_reader *reader, const struct store_query *query,
                      struct fault *fault)
{
    struct fold_extent ignored;
    const struct store_event *event = store_reader__event(reader, query->event);
    snprintf(reading->window.unit, sizeof(reading->window.unit), "%s", event->unit);
    reading->window.measure = strcmp(event->unit, "samples") == 0 ? LAYOUT_SAMPLES : LAYOUT_VALUE;
    int err = fold__store(reading->window.by_process, 0, reader, query, fault, &ignored);
    return err ? err : fold__store(reading->window.by_unit, 0, reader, query, fault, &ignored);
}

static int read_store(struct reading *reading, const char *path, struct fault *fault)
{
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    int err = store_reader__open(path, fault, &reader);
    if (err == -ENOENT)
        return 0;
    if (err)
        return err;
    struct store_query query = {.event = find_event(reader, reading->request->event),
                                .since_ns = reading->request->since_ns};
    err = store_reader__intervals(reader, &query, fault, add_interval, reading);
    return !err && query.event ? read_event(reading, reader, &query, fault) : err;
}

// The functions of what is shown alone, as report's filters leave them.
static int filter(const struct stack_filter *stacks, struct profile **profile, struct fault *fault)
{
    struct profile *left = NULL;
    int err = stack_filter__apply(stacks, *profile, NULL, fault, &left);
    if (err)
        return err;
    profile__free(*profile);
    *profile = left;
    return 0;
}

static int filter_both(struct reading *reading, struct fault *fault)
{
    const struct stack_filter *stacks = &reading->request->stacks;
    if (!stacks->focus && !stacks->ignore && !stacks->hide)
        return 0;
    int err = filter(stacks, &reading->window.by_process, fault);
    return err ? err : filter(stacks, &reading->window.by_unit, fault);
}

int top_window__read(const struct top_window_request *request, struct fault *fault, struct top_window *ret_window)
{
    _cleanup_(reading__release) struct reading reading = {.request = request};
    int err = new_profile("pid", &reading.window.by_process);
    if (!err)
        err = new_profile("unit", &reading.window.by_unit);
    if (err)
        return fault__set(fault, err, "out of memory");
    for (size_t i = 0; i < request->path_count && !err; i++)
        err = read_store(&reading, request->paths[i], fault);
    if (!err)
        err = filter_both(&reading, fault);
    if (err)
        return err;
    reading.window.since_ns = reading.extent.since_ns;
    reading.window.until_ns = reading.extent.until_ns;
    reading.window.samples = profile__total(reading.window.by_process, 0).samples;
    *ret_window = reading.window;
    reading.window = (struct top_window){0};
    return 0;
}
