#include "report/query/report_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/profile/fold.h"
#include "report/profile/thread_split.h"
#include "report/query/buckets.h"
#include "report/query/filter_words.h"
#include "report/query/heatmap_source.h"
#include "report/query/time_range.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "store/base/safe_text.h"

void report_work__release(struct report_work *work)
{
    for (size_t i = 0; i < work->picture.other_count; i++)
        report_work__release(&work->others[i]);
    free(work->others);
    free(work->other_pictures);
    histogram_list__release(&work->histograms);
    histogram_list__release(&work->before_histograms);
    heatmap__release(&work->heatmap);
    profile__free(work->profile);
    profile__free(work->by_thread);
    free(work->thread_places);
    source__release(&work->source);
    source__release(&work->before_source);
    free(work->title);
    free(work->before_name);
    free(work->after_name);
}

static bool same_word(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_ids(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    return a_count == b_count && (!a_count || memcmp(a, b, a_count * sizeof(*a)) == 0);
}

// Two programs, or two units, held against each other must not fall apart into two roots by their names.
static bool are_different_threads(const struct report_request *a, const struct report_request *b)
{
    return !same_word(a->comm, b->comm) || !same_word(a->unit, b->unit) || !same_word(a->container, b->container) ||
           !same_word(a->pod, b->pod) || !same_ids(a->pids, a->pid_count, b->pids, b->pid_count) ||
           !same_ids(a->tids, a->tid_count, b->tids, b->tid_count);
}

static const struct group *choose_group(const struct report_work *work)
{
    if (!work->request->group && work->before_request && are_different_threads(work->before_request, work->request))
        return &group_compared;
    return work->request->group ? work->request->group : work->format->group;
}

static void take_profile(struct report_work *work, struct profile *changed)
{
    profile__free(work->profile);
    work->profile = changed;
}

// Leaves out, and puts together, as the request says.
static int change_profile(struct report_work *work, struct fault *fault)
{
    const struct report_request *request = work->request;
    struct profile *changed;
    int err = 0;
    if (stack_filter__is_set(&request->stacks)) {
        err = stack_filter__apply(&request->stacks, work->profile, work->source.reader, fault, &changed);
        if (!err)
            take_profile(work, changed);
    }
    if (!err && request->collapse) {
        err = collapse__apply(request->collapse, work->profile, &changed);
        if (!err)
            take_profile(work, changed);
    }
    return err;
}

// Over a long range the sums of hours are read, whose frames are functions: a day in a second.
static bool is_long(const struct store_query *query)
{
    return !query->until_ns || query->until_ns - query->since_ns > LIMIT_REPORT_FINE_NS;
}

enum profile_grain report_work__grain(const struct report_work *work)
{
    if (work->request->collapse)
        return PROFILE_BY_FUNCTION;
    if (work->format->subject == FORMAT_FRAMES)
        return PROFILE_BY_FRAME;
    return work->request->lines || work->format->by_line ? PROFILE_BY_LINE : PROFILE_BY_FUNCTION;
}

static int fold(struct report_work *work, const struct profile_options *options, struct fault *fault)
{
    struct source *source = &work->source, *before = &work->before_source;
    struct profile *profile;
    int err = profile__new(options, &profile);
    if (err)
        return err;
    take_profile(work, profile);
    if (before->reader)
        err = fold__store(profile, 0, before->reader, &before->query, fault, &before->extent);
    if (!err)
        err =
            fold__store(profile, work->before_request ? 1 : 0, source->reader, &source->query, fault, &source->extent);
    return err;
}

// The profile of the picture from that by thread.
static int split_threads(struct report_work *work)
{
    struct profile *made;
    int err = thread_split__make(work->profile, &made, &work->thread_places);
    if (err)
        return err;
    work->by_thread = work->profile;
    work->profile = made;
    work->threads = (struct picture_threads){work->by_thread, work->thread_places};
    work->picture.threads = &work->threads;
    return 0;
}

static int add_profile(struct report_work *work, struct fault *fault)
{
    struct profile_options options = {
        .grain = report_work__grain(work),
        .no_inline = work->request->no_inline,
        .names_only = work->format->names_only && !work->request->collapse,
        .group = choose_group(work),
        .by_thread = work->format->holds_threads && !work->before_request,
        .sides = work->before_request ? 2 : 1,
    };
    struct source *source = &work->source, *before = &work->before_source;
    source->query.is_coarse = before->query.is_coarse = false;
    if (options.grain == PROFILE_BY_FUNCTION) {
        source->query.is_coarse = is_long(&source->query);
        before->query.is_coarse = is_long(&before->query);
    }
    int err = fold(work, &options, fault);
    if (err == -E2BIG && options.by_thread) {
        options.by_thread = false;
        err = fold(work, &options, fault);
    }
    if (!err)
        err = change_profile(work, fault);
    if (!err && options.by_thread)
        err = split_threads(work);
    if (err)
        return err;
    work->picture.profile = work->profile;
    work->picture.total = profile__total(work->profile, work->before_request ? 1 : 0);
    return 0;
}

// A value that a full map refused, or whose begin was not seen, has no key: any histogram may lack it.
static void add_lost_values(const struct loss_list *losses, struct histogram_list *histograms)
{
    uint64_t lost = loss_list__count(losses, "hists-full") + loss_list__count(losses, "not-followed") +
                    loss_list__count(losses, "values-unread");
    for (size_t i = 0; i < histograms->count; i++)
        histograms->items[i]->lost = lost;
}

static int add_heatmap(struct report_work *work, struct fault *fault)
{
    _cleanup_(columns__release) struct columns columns = {0};
    struct source *source = &work->source;
    int err = time_range__columns(work->request, source->reader, 0, LIMIT_HEATMAP_COLUMNS, fault, &columns);
    if (!err)
        err = heatmap_source__gather(source, &columns, fault, &work->heatmap);
    work->picture.total = (struct profile_weight){.samples = work->heatmap.count, .value = work->heatmap.sum};
    work->picture.heatmap = &work->heatmap;
    return err;
}

static struct profile_weight total_of(const struct histogram_list *histograms)
{
    struct profile_weight total = {0};
    for (size_t i = 0; i < histograms->count; i++) {
        total.samples += histograms->items[i]->count;
        total.value = saturated_sum(total.value, saturated_u64(histograms->items[i]->sum));
    }
    return total;
}

static int add_histograms(struct report_work *work, struct fault *fault)
{
    work->histograms.bound = work->before_histograms.bound = LIMIT_REPORT_HISTOGRAMS;
    int err = buckets__gather(&work->source, work->request, &work->histograms, fault);
    if (!err && work->before_request)
        err = buckets__gather(&work->before_source, work->before_request, &work->before_histograms, fault);
    work->picture.total = total_of(&work->histograms);
    work->picture.histograms = &work->histograms;
    return err;
}

// "monday.db (only pid 12)": one side of a difference, where filters of its own part it from the other.
static int name_side(const char *side, const char *words, char **ret_name)
{
    int length = *words ? asprintf(ret_name, "%s (%s)", side, words) : asprintf(ret_name, "%s", side);
    return length < 0 ? -ENOMEM : 0;
}

// "cpu on box (only comm nginx)", "cpu on box: monday.db against tuesday.db (only comm nginx)".
static int print_title(const struct report_work *work, const char *filter, const char *before_filter, char **ret_title)
{
    const char *event = work->source.event->name, *host = work->picture.meta->host;
    const char *on = host && *host ? " on " : "", *behind = *filter ? " (" : "", *close = *filter ? ")" : "";
    _cleanup_free_ char *before = NULL, *after = NULL;
    int length;
    if (!*on)
        host = "";
    if (!work->before_request) {
        length = asprintf(ret_title, "%s%s%s%s%s%s", event, on, host, behind, filter, close);
        return length < 0 ? -ENOMEM : 0;
    }
    bool alike = strcmp(filter, before_filter) == 0;
    int err = name_side(work->before_request->title, alike ? "" : before_filter, &before);
    if (!err)
        err = name_side(work->request->title, alike ? "" : filter, &after);
    if (err)
        return err;
    length = asprintf(ret_title, "%s%s%s: %s against %s%s%s%s", event, on, host, after, before, alike ? behind : "",
                      alike ? filter : "", alike ? close : "");
    return length < 0 ? -ENOMEM : 0;
}

static int set_title(struct report_work *work)
{
    const char *unit = work->source.event->unit;
    _cleanup_free_ char *filter = NULL, *before_filter = NULL, *title = NULL;
    int err = filter_words__make(work->request, &work->source.query, unit, &filter);
    if (!err && work->before_request)
        err = filter_words__make(work->before_request, &work->before_source.query, unit, &before_filter);
    if (!err)
        err = print_title(work, filter, before_filter, &title);
    if (err)
        return err;
    work->title = safe_text__dup(title);
    work->picture.title = work->title;
    return work->title ? 0 : -ENOMEM;
}

int report_work__draw_before(struct report_work *work, struct fault *fault)
{
    struct source *before = &work->before_source;
    work->before_name = safe_text__dup(work->before_request->title);
    work->after_name = safe_text__dup(work->request->title);
    int err = work->before_name && work->after_name ? source__add_losses(before, fault) : -ENOMEM;
    bool draws_buckets = format__has_buckets(work->format);
    if (!err)
        add_lost_values(&before->losses, &work->before_histograms);
    work->before = (struct picture_before){
        .name = work->before_name,
        .after_name = work->after_name,
        .since_ns = before->extent.since_ns,
        .until_ns = before->extent.until_ns,
        .total = draws_buckets ? total_of(&work->before_histograms) : profile__total(work->profile, 0),
        .losses = &before->losses,
        .histograms = &work->before_histograms,
    };
    work->picture.before = &work->before;
    if (!err && !work->before.total.samples)
        err = source__nothing(before, fault);
    return err;
}

// Of a histogram that was recorded without stacks, a drawing of stacks is one of the buckets.
static bool draws_buckets_instead(const struct report_work *work)
{
    return work->source.event->is_histogram && !work->picture.total.samples && work->format->of_buckets &&
           !work->before_request && !work->request->group && !stack_filter__is_set(&work->request->stacks);
}

int report_work__draw(struct report_work *work, struct fault *fault)
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
    work->annotation =
        (struct annotation){work->request->function, work->request->sources, !work->request->has_no_sources};
    work->picture.annotation = &work->annotation;
    int err = set_title(work);
    if (!err && work->format->subject == FORMAT_HEATMAP)
        err = add_heatmap(work, fault);
    if (!err && !format__has_buckets(work->format))
        err = add_profile(work, fault);
    if (!err && draws_buckets_instead(work)) {
        work->format = work->format->of_buckets;
        source->for_histogram = true;
    }
    if (!err && work->format->subject == FORMAT_HISTOGRAMS)
        err = add_histograms(work, fault);
    if (!err && work->request->is_whole_range)
        err = source__widen(source, fault);
    if (!err && !work->picture.total.samples && !(work->request->is_whole_range && source->extent.rows))
        err = source__nothing(source, fault);
    if (!err)
        err = source__add_losses(source, fault);
    add_lost_values(&source->losses, &work->histograms);
    work->picture.since_ns = source->extent.since_ns;
    work->picture.until_ns = source->extent.until_ns;
    return err;
}
