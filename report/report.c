#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/fold.h"
#include "report/format.h"
#include "report/output.h"
#include "report/source.h"
#include "report/text.h"
#include "store/base/cleanup.h"

DEFINE_CLEANUP(struct profile *, profile__free);
DEFINE_CLEANUP(struct output *, output__free);

// All that stands behind one report.
struct work {
    const struct report_request *request;
    const struct format *format;
    struct source source;
    struct profile *profile;
    struct histogram_list histograms;
    struct picture picture;
    char title[256];
};

static void work__release(struct work *work)
{
    histogram_list__release(&work->histograms);
    profile__free(work->profile);
    source__release(&work->source);
}

bool report__is_report(const char *output)
{
    return format__of_file(output) != NULL;
}

int report__check_output(const char *output_path, struct fault *fault)
{
    struct output *output = NULL;
    int err = output__open(output_path, fault, &output);
    output__free(output);
    return err;
}

static int choose_format(const struct report_request *request, const char *output, struct fault *fault,
                         const struct format **ret_format)
{
    const struct format *format = request->format ? format__named(request->format) : format__of_file(output);
    if (!format && request->format)
        return format__unknown(request->format, fault);
    if (!format && strcmp(output, "-") != 0)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "cannot tell the format from the name '%s'; name one with -f (`hearth report -h`)",
                               output);
    *ret_format = format ? format : &format_top;
    return 0;
}

static int add_profile(struct work *work, struct fault *fault)
{
    struct profile_options options = {
        .grain = work->format->subject == FORMAT_FRAMES ? PROFILE_BY_FRAME
                 : work->request->lines                 ? PROFILE_BY_LINE
                                                        : PROFILE_BY_FUNCTION,
        .threads = work->request->threads,
        .no_inline = work->request->no_inline,
        .names_only = work->format->names_only,
    };
    int err = profile__new(&options, &work->profile);
    if (!err)
        err = fold__store(work->profile, 0, work->source.reader, &work->source.query, fault, &work->source.extent);
    if (err)
        return err;
    work->picture.profile = work->profile;
    work->picture.total = profile__total(work->profile, 0);
    return 0;
}

static int add_bucket(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct work *work = context;
    const struct store_event *event = work->source.event;
    struct histogram *histogram;
    if (!value->bucket || !value->count)
        return 0;
    int err = histogram_list__find(&work->histograms, event->name, event->unit, "", &histogram);
    if (err)
        return err;
    histogram__add_bucket(histogram, value->bucket - 1u, value->count, value->value);
    fold_extent__widen(&work->source.extent, &row->interval);
    return 0;
}

static int add_histogram(const struct store_interval_row *row, const struct store_histogram *stored, void *context)
{
    struct work *work = context;
    const struct store_event *event = work->source.event;
    struct histogram *histogram;
    int err = histogram_list__find(&work->histograms, event->name, event->unit, stored->key, &histogram);
    if (!err)
        err = histogram__add_counts(histogram, stored->counts, stored->count_of_buckets, stored->sum, stored->min,
                                    stored->max);
    if (err)
        return err;
    histogram->unmatched += stored->unmatched;
    fold_extent__widen(&work->source.extent, &row->interval);
    return 0;
}

static int add_histograms(struct work *work, struct fault *fault)
{
    if (!work->source.event->is_histogram)
        return source__no_buckets(&work->source, fault);
    int err = store_reader__values(work->source.reader, &work->source.query, fault, add_bucket, work);
    if (!err)
        err = store_reader__histograms(work->source.reader, &work->source.query, fault, add_histogram, work);
    for (size_t i = 0; !err && i < work->histograms.count; i++) {
        work->picture.total.samples += work->histograms.items[i]->count;
        work->picture.total.value += work->histograms.items[i]->sum;
    }
    work->picture.histograms = &work->histograms;
    return err;
}

static void set_title(struct work *work)
{
    const struct store_event *event = work->source.event;
    const struct store_meta *meta = work->picture.meta;
    _cleanup_(buf__release) struct buf clean = {0};
    if (work->request->title)
        text__append_clean(&clean, work->request->title);
    else {
        text__append_clean(&clean, event->name);
        if (meta->host && *meta->host) {
            buf__append_string(&clean, " on ");
            text__append_clean(&clean, meta->host);
        }
    }
    buf__append_byte(&clean, '\0');
    snprintf(work->title, sizeof(work->title), "%s", clean.failed ? "" : (const char *)clean.data);
    work->picture.title = work->title;
}

static int make_picture(struct work *work, struct fault *fault)
{
    struct source *source = &work->source;
    work->picture = (struct picture){
        .meta = store_reader__meta(source->reader),
        .event = source->event,
        .losses = &source->losses,
        .measure = source->measure,
        .unit = source->event->unit,
        .reader = source->reader,
    };
    set_title(work);
    int err = work->format->subject == FORMAT_HISTOGRAMS ? add_histograms(work, fault) : add_profile(work, fault);
    if (!err && !work->picture.total.samples)
        err = source__nothing(source, fault);
    if (!err)
        err = source__add_losses(source, fault);
    work->picture.since_ns = source->extent.since_ns;
    work->picture.until_ns = source->extent.until_ns;
    return err;
}

static int write_picture(struct work *work, const char *output_path, struct fault *fault)
{
    _cleanup_(output__freep) struct output *output = NULL;
    work->picture.output = output_path;
    int err = output__open(output_path, fault, &output);
    if (!err)
        err = work->format->write(&work->picture, output__file(output), fault);
    return err ? err : output__commit(take_pointer(output), fault);
}

int report__write(const char *store_path, const struct report_request *request, const char *output,
                  struct report_summary *ret_summary, struct fault *fault)
{
    _cleanup_(work__release) struct work work = {.request = request};
    int err = choose_format(request, output, fault, &work.format);
    if (!err)
        err = source__open(store_path, request, fault, &work.source);
    if (!err)
        err = make_picture(&work, fault);
    if (!err)
        err = write_picture(&work, output, fault);
    if (err || !ret_summary)
        return err;
    *ret_summary = (struct report_summary){
        .samples = work.picture.total.samples,
        .value = work.picture.total.value,
        .since_ns = work.picture.since_ns,
        .until_ns = work.picture.until_ns,
        .shows_losses = work.format->shows_losses,
    };
    loss_list__print(&work.source.losses, ret_summary->losses, sizeof(ret_summary->losses));
    return 0;
}
