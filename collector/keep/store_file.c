#include "collector/keep/store_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/clock.h"
#include "store/base/limits.h"

int store_file__set_event(struct store_file *file, const struct event *events, size_t index)
{
    const struct event *event = &events[index];
    struct store_event row = {.name = event->spelled,
                              .unit = event__unit(event),
                              .detail = event->detail,
                              .period = event->store_period,
                              .is_histogram = event->hist != NULL,
                              .is_doubled = event->hist && event->hist->stacks};
    return interned__set_event(file->interned, index, &row);
}

static int set_events(struct store_file *file, const struct event *events, size_t count)
{
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        if (events[i].source) // else a place that no event has
            err = store_file__set_event(file, events, i);
    return err;
}

static int new_file(struct store_writer *writer, uint32_t number, const struct event *events, size_t event_count,
                    struct fault *fault, struct store_file **ret_file)
{
    _cleanup_(store_file__freep) struct store_file *file = calloc(1, sizeof(*file));
    if (!file) {
        store_writer__free(writer);
        return fault__set(fault, -ENOMEM, "out of memory");
    }
    file->number = number;
    file->writer = writer;
    int err = interned__new(writer, &file->interned);
    if (!err)
        err = set_events(file, events, event_count);
    if (err)
        return fault__set(fault, err, "cannot write the events to the store: %s", strerror(-err));
    *ret_file = take_pointer(file);
    return 0;
}

int store_file__append(struct store_file *file, const struct interval_rows *rows, struct fault *fault)
{
    int err = waiting__write(&file->waiting, file->writer, fault);
    if (err)
        return err;
    return store_writer__append(file->writer, rows->interval, rows->values, rows->value_count, rows->histograms,
                                rows->histogram_count, fault);
}

int store_file__flush(struct store_file *file, struct fault *fault)
{
    int err = waiting__write(&file->waiting, file->writer, fault);
    return err ? err : store_writer__flush(file->writer, fault);
}

struct waiting_count store_file__give_up(struct store_file *file)
{
    struct waiting_count lost = waiting__count(&file->waiting);
    waiting__release(&file->waiting);
    return lost;
}

int store_file__close(struct store_file *file, struct fault *fault)
{
    if (!file)
        return 0;
    int err = store_writer__close(file->writer, fault);
    interned__free(file->interned);
    waiting__release(&file->waiting);
    free(file);
    return err;
}

void store_file__free(struct store_file *file)
{
    store_file__close(file, NULL);
}

// --- All of them

int store_files__close_before(struct store_files *files, struct waiting_count *ret_lost, struct fault *fault)
{
    if (!files->before)
        return 0;
    int err = store_file__flush(files->before, fault);
    if (err)
        *ret_lost = store_file__give_up(files->before);
    int closed = store_file__close(take_pointer(files->before), err ? NULL : fault);
    return err ? err : closed;
}

int store_files__begin(struct store_files *files, struct store_writer *writer, const struct event *events,
                       size_t event_count, struct fault *fault)
{
    struct store_file *file = NULL;
    int err = new_file(writer, files->count + 1, events, event_count, fault, &file);
    if (err)
        return err;
    if (files->now)
        files->now->end_ns = clock__ns(CLOCK_MONOTONIC) + LIMIT_NAMING_END_S * 1000000000ull;
    files->before = files->now;
    files->now = file;
    files->count++;
    return 0;
}

static int name(struct store_file *file, uint64_t tag, const struct store_line *chain, size_t length)
{
    int err = store_writer__name(file->writer, (uint32_t)tag, chain, length);
    if (err != -ENOBUFS || store_writer__flush(file->writer, NULL) != 0)
        return err;
    return store_writer__name(file->writer, (uint32_t)tag, chain, length);
}

int store_files__name(struct store_files *files, uint64_t tag, const struct store_line *chain, size_t length)
{
    struct store_file *const open[] = {files->now, files->before};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        if (open[i] && tag >> 32 == open[i]->number)
            return name(open[i], tag, chain, length);
    return 0;
}

void store_files__release(struct store_files *files)
{
    store_file__free(files->before);
    store_file__free(files->now);
    *files = (struct store_files){0};
}
