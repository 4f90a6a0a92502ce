#include "report/query/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/formats.h"
#include "report/query/filter_words.h"
#include "report/query/format_choice.h"
#include "report/query/report_work.h"
#include "report/text/output.h"
#include "store/base/bucket.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"

DEFINE_CLEANUP(struct output *, output__free);

bool report__is_report(const char *output)
{
    return formats__of_file(output) != NULL;
}

bool report__is_of_histogram(const char *output)
{
    const struct format *format = formats__of_file(output);
    return format && format__has_buckets(format);
}

int report__check_output(const char *output_path, struct fault *fault)
{
    struct output *output = NULL;
    int err = output__open(output_path, fault, &output);
    output__free(output);
    return err;
}

static int write_picture(struct report_work *work, const char *output_path, struct fault *fault)
{
    _cleanup_(output__freep) struct output *output = NULL;
    work->picture.output = output_path;
    int err = output__open(output_path, fault, &output);
    if (!err)
        err = work->format->write(&work->picture, output__file(output), fault);
    return err ? err : output__commit(take_pointer(output), fault);
}

// Values are kept by bucket: an end of the range that lies inside of one has taken all of it.
static void word_buckets(const struct report_work *work, struct report_summary *summary)
{
    const struct report_request *request = work->request;
    const struct store_query *query = &work->source.query;
    if (!query->has_buckets)
        return;
    wide first = bucket__least(query->bucket_first), end = bucket__greatest(query->bucket_last) + 1;
    if ((request->has_bucket_low && first != request->bucket_low) ||
        (request->has_bucket_high && end != request->bucket_high))
        filter_words__buckets(query, work->source.event->unit, summary->buckets);
}

static void list_name(char *list, size_t bytes, const char *name)
{
    size_t used = strlen(list);
    snprintf(list + used, bytes - used, "%s%s", used ? ", " : "", name);
}

static bool holds_event(const struct report_work *work, const char *name)
{
    bool holds = strcmp(work->source.event->name, name) == 0;
    for (size_t i = 0; i < work->picture.other_count; i++)
        holds |= strcmp(work->other_pictures[i]->event->name, name) == 0;
    return holds;
}

static void list_shown(const struct report_work *work, struct report_summary *summary)
{
    size_t bytes = sizeof(summary->events);
    snprintf(summary->events, bytes, "'%s'", work->source.event->name);
    for (size_t i = 0; i < work->picture.other_count; i++) {
        size_t used = strlen(summary->events);
        snprintf(summary->events + used, bytes - used, ", '%s'", work->other_pictures[i]->event->name);
    }
}

// The store's events that the report does not show.
static void list_others(const struct report_work *work, struct report_summary *summary)
{
    struct store_reader *reader = work->source.reader;
    if (!work->picture.other_count) {
        source__list_events(reader, false, work->source.event, summary->others, sizeof(summary->others));
        return;
    }
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++)
        if (!holds_event(work, store_reader__event(reader, i)->name))
            list_name(summary->others, sizeof(summary->others), store_reader__event(reader, i)->name);
}

static void summarize(const struct report_work *work, struct report_summary *ret_summary)
{
    *ret_summary = (struct report_summary){
        .samples = work->picture.total.samples,
        .value = work->picture.total.value,
        .since_ns = work->picture.since_ns,
        .until_ns = work->picture.until_ns,
        .shows_losses = work->format->shows_losses,
        .lacks_lines = report_work__grain(work) != PROFILE_BY_FUNCTION &&
                       (work->source.extent.is_folded || work->before_source.extent.is_folded),
    };
    word_buckets(work, ret_summary);
    if (work->source.has_others) {
        list_shown(work, ret_summary);
        list_others(work, ret_summary);
    }
    loss_list__print(&work->source.losses, ret_summary->losses, sizeof(ret_summary->losses));
}

// 0 too where the event has no stacks in that range.
static int add_other(struct report_work *work, struct report_request *request, uint32_t *nodes, struct fault *fault)
{
    struct report_work *other = &work->others[work->picture.other_count];
    struct fault own = {0};
    *other = (struct report_work){.request = request, .format = work->format};
    int err = source__open(work->source.path, request, SOURCE_STACKS, &own, &other->source);
    if (!err)
        err = report_work__draw(other, &own);
    bool has_stacks = !err && other->format == work->format;
    bool fits = has_stacks && (work->format->is_unbounded ||
                               (work->picture.other_count < LIMIT_FLAME_EVENTS &&
                                profile__node_count(other->profile) <= LIMIT_FLAME_EVENTS_NODES - *nodes));
    if (has_stacks && !fits)
        list_name(work->left_out, sizeof(work->left_out), other->source.event->name);
    if (fits) {
        *nodes += profile__node_count(other->profile);
        work->other_pictures[work->picture.other_count++] = &other->picture;
    } else
        report_work__release(other);
    if (!err || err == -ENODATA)
        return 0;
    if (fault)
        *fault = own;
    return err;
}

// The page of a store without a chosen event has all of those with stacks.
static int add_others(struct report_work *work, struct report_request *request, struct fault *fault)
{
    uint32_t nodes = 0;
    int err = 0;
    if (!work->format->holds_events || !work->source.has_others || work->source.query.has_buckets)
        return 0;
    size_t count = store_reader__event_count(work->source.reader);
    work->others = calloc(count, sizeof(*work->others));
    work->other_pictures = calloc(count, sizeof(struct picture *));
    if (!work->others || !work->other_pictures)
        return fault__set(fault, -ENOMEM, "out of memory");
    for (uint32_t i = 1; !err && i <= store_reader__event_count(work->source.reader); i++) {
        request->event = store_reader__event(work->source.reader, i)->name;
        if (!holds_event(work, request->event))
            err = add_other(work, request, &nodes, fault);
    }
    work->picture.others = work->other_pictures;
    work->picture.left_out = work->left_out;
    return err;
}

// A page begins with its first event; a file that holds whatever there is may lack that one in the range.
static int draw_events(struct report_work *work, struct report_request *of_others, struct fault *fault)
{
    struct fault own = {0};
    int err = report_work__draw(work, &own);
    bool may_lack_it = err == -ENODATA && work->format->is_unbounded;
    if (!err || may_lack_it) {
        int others_err = add_others(work, of_others, fault);
        if (others_err || !err || work->picture.other_count)
            return others_err;
    }
    if (fault)
        *fault = own;
    return err;
}

static enum source_wish wish_of(const struct format *format)
{
    if (format__has_buckets(format))
        return SOURCE_HISTOGRAM;
    return format->holds_events ? SOURCE_FIRST_STACKS : SOURCE_STACKS;
}

int report__write(const char *store_path, const struct report_request *request, const char *output,
                  struct report_summary *ret_summary, struct fault *fault)
{
    _cleanup_(report_work__release) struct report_work work = {.request = request};
    struct report_request of_others = *request;
    int err = format_choice__make(request, output, fault, &work.format);
    if (!err)
        err = source__open(store_path, request, wish_of(work.format), fault, &work.source);
    if (!err)
        err = draw_events(&work, &of_others, fault);
    if (!err)
        err = write_picture(&work, output, fault);
    if (!err && ret_summary)
        summarize(&work, ret_summary);
    return err;
}

static int check_comparable(const struct report_work *work, struct fault *fault)
{
    if (!work->format->compares)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "%s cannot draw a difference; folded, flame, top, json and hist can",
                               work->format->name);
    const struct store_event *before = work->before_source.event, *after = work->source.event;
    if (strcmp(before->unit, after->unit) != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "'%s' is in %s and '%s' in %s: they cannot be compared",
                               before->name, before->unit, after->name, after->unit);
    return 0;
}

int report__compare(const char *before_path, const struct report_request *before, const char *after_path,
                    const struct report_request *after, const char *output, struct report_summary *ret_summary,
                    struct fault *fault)
{
    _cleanup_(report_work__release) struct report_work work = {.request = after, .before_request = before};
    int err = format_choice__make(after, output, fault, &work.format);
    enum source_wish wish = !err && format__has_buckets(work.format) ? SOURCE_HISTOGRAM : SOURCE_STACKS;
    if (!err)
        err = source__open(before_path, before, wish, fault, &work.before_source);
    if (!err)
        err = source__open(after_path, after, wish, fault, &work.source);
    if (!err)
        err = check_comparable(&work, fault);
    if (!err)
        err = report_work__draw(&work, fault);
    if (!err)
        err = report_work__draw_before(&work, fault);
    if (!err)
        err = write_picture(&work, output, fault);
    if (!err && ret_summary)
        summarize(&work, ret_summary);
    return err;
}
