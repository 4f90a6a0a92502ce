#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/fold.h"
#include "report/format.h"
#include "report/output.h"
#include "report/text.h"
#include "store/base/cleanup.h"
#include "store/reader.h"

DEFINE_CLEANUP(struct store_reader *, store_reader__free);
DEFINE_CLEANUP(struct profile *, profile__free);
DEFINE_CLEANUP(struct output *, output__free);

// All that stands behind one report.
struct work {
    const struct report_request *request;
    const struct format *format;
    const char *store_path;
    struct store_reader *reader;
    struct store_query query;
    struct fold_extent extent;
    struct profile *profile;
    struct histogram_list histograms;
    struct loss_list losses;
    struct picture picture;
    char title[256];
};

static void work__release(struct work *work)
{
    histogram_list__release(&work->histograms);
    loss_list__release(&work->losses);
    profile__free(work->profile);
    store_reader__free(work->reader);
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

static int no_event(struct store_reader *reader, const char *name, struct fault *fault)
{
    char list[320] = "";
    for (uint32_t i = 1; i <= store_reader__event_count(reader); i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", store_reader__event(reader, i)->name);
    }
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

static int set_query(struct work *work, struct fault *fault)
{
    const struct report_request *request = work->request;
    const struct store_event *event = store_reader__event(work->reader, work->query.event);
    work->query = (struct store_query){
        .event = work->query.event,
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
    if ((request->bucket_low || request->bucket_high || work->format->subject == FORMAT_HISTOGRAMS) &&
        !event->is_histogram)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "the event '%s' has no buckets; record a histogram with `hearth hist --stacks`",
                               event->name);
    if (request->bucket_low || request->bucket_high) {
        work->query.bucket_first = (uint16_t)(bucket__of(request->bucket_low) + 1);
        work->query.bucket_last =
            (uint16_t)(request->bucket_high ? bucket__of(request->bucket_high - 1) + 1 : BUCKET_COUNT);
    }
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
        err = fold__store(work->profile, 0, work->reader, &work->query, fault, &work->extent);
    if (err)
        return err;
    work->picture.profile = work->profile;
    work->picture.total = profile__total(work->profile, 0);
    return 0;
}

static void widen(struct fold_extent *extent, const struct store_interval *interval)
{
    if (!extent->rows++ || interval->start_ns < extent->since_ns)
        extent->since_ns = interval->start_ns;
    if (interval->end_ns > extent->until_ns)
        extent->until_ns = interval->end_ns;
}

static int add_bucket(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct work *work = context;
    const struct store_event *event = work->picture.event;
    struct histogram *histogram;
    if (!value->bucket || !value->count)
        return 0;
    int err = histogram_list__find(&work->histograms, event->name, event->unit, "", &histogram);
    if (err)
        return err;
    histogram__add_bucket(histogram, value->bucket - 1u, value->count, value->value);
    widen(&work->extent, &row->interval);
    return 0;
}

static int add_histogram(const struct store_interval_row *row, const struct store_histogram *stored, void *context)
{
    struct work *work = context;
    const struct store_event *event = work->picture.event;
    struct histogram *histogram;
    int err = histogram_list__find(&work->histograms, event->name, event->unit, stored->key, &histogram);
    if (!err)
        err = histogram__add_counts(histogram, stored->counts, stored->count_of_buckets, stored->sum, stored->min,
                                    stored->max);
    if (err)
        return err;
    histogram->unmatched += stored->unmatched;
    widen(&work->extent, &row->interval);
    return 0;
}

static int add_histograms(struct work *work, struct fault *fault)
{
    int err = store_reader__values(work->reader, &work->query, fault, add_bucket, work);
    if (!err)
        err = store_reader__histograms(work->reader, &work->query, fault, add_histogram, work);
    for (size_t i = 0; !err && i < work->histograms.count; i++) {
        work->picture.total.samples += work->histograms.items[i]->count;
        work->picture.total.value += work->histograms.items[i]->sum;
    }
    work->picture.histograms = &work->histograms;
    return err;
}

static int add_losses(const struct store_interval_row *row, void *context)
{
    return loss_list__add(context, &row->interval);
}

static int widen_extent(const struct store_interval_row *row, void *context)
{
    widen(context, &row->interval);
    return 0;
}

// Says what there is instead.
static int nothing_there(struct work *work, struct fault *fault)
{
    struct fold_extent held = {0};
    struct store_query all = {.event = work->query.event};
    const char *event = work->picture.event->name;
    int err = store_reader__intervals(work->reader, &all, fault, widen_extent, &held);
    if (err)
        return err;
    if (!held.rows)
        return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "nothing of '%s' in '%s'", event, work->store_path);
    char since[FORMAT_TIME_BYTES], until[FORMAT_TIME_BYTES];
    format__time(held.since_ns, since);
    format__time(held.until_ns, until);
    return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA,
                           "nothing of '%s' in that range and with those filters; '%s' holds %s to %s", event,
                           work->store_path, since, until);
}

static void set_title(struct work *work)
{
    const struct store_event *event = work->picture.event;
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
    int err = choose_event(work->reader, work->request->event, fault, &work->query.event);
    if (!err)
        err = set_query(work, fault);
    if (err)
        return err;
    const struct store_event *event = store_reader__event(work->reader, work->query.event);
    bool by_samples = strcmp(event->unit, "samples") == 0;
    work->picture = (struct picture){
        .meta = store_reader__meta(work->reader),
        .event = event,
        .losses = &work->losses,
        .measure = by_samples ? LAYOUT_SAMPLES : LAYOUT_VALUE,
        .unit = event->unit,
        .reader = work->reader,
    };
    set_title(work);
    err = work->format->subject == FORMAT_HISTOGRAMS ? add_histograms(work, fault) : add_profile(work, fault);
    if (!err && !work->picture.total.samples)
        err = nothing_there(work, fault);
    if (!err)
        err = store_reader__intervals(work->reader, &work->query, fault, add_losses, &work->losses);
    work->picture.since_ns = work->extent.since_ns;
    work->picture.until_ns = work->extent.until_ns;
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
    _cleanup_(work__release) struct work work = {.request = request, .store_path = store_path};
    int err = choose_format(request, output, fault, &work.format);
    if (!err)
        err = store_reader__open(store_path, fault, &work.reader);
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
    loss_list__print(&work.losses, ret_summary->losses, sizeof(ret_summary->losses));
    return 0;
}
