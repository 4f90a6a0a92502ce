#include "report/query/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/formats.h"
#include "report/profile/fold.h"
#include "report/query/buckets.h"
#include "report/query/filter_words.h"
#include "report/query/format_choice.h"
#include "report/query/heatmap_source.h"
#include "report/query/source.h"
#include "report/query/time_range.h"
#include "report/text/output.h"
#include "report/text/text.h"
#include "store/base/bucket.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"

DEFINE_CLEANUP(struct profile *, profile__free);
DEFINE_CLEANUP(struct output *, output__free);

// All that stands behind one report, or one difference.
struct work {
    const struct report_request *request, *before_request; // before: NULL without a difference
    const struct format *format;
    struct source source, before_source;
    struct picture_before before;
    struct profile *profile;
    struct histogram_list histograms, before_histograms;
    struct heatmap heatmap;
    struct annotation annotation;
    struct picture picture;
    char *title, *before_name, *after_name; // clean
    struct work *others;                    // of the store's other events, for a format that holds several
    const struct picture *other_pictures[LIMIT_FLAME_EVENTS];
    char left_out[320];
};

static void work__release(struct work *work)
{
    for (size_t i = 0; i < work->picture.other_count; i++)
        work__release(&work->others[i]);
    free(work->others);
    histogram_list__release(&work->histograms);
    histogram_list__release(&work->before_histograms);
    heatmap__release(&work->heatmap);
    profile__free(work->profile);
    source__release(&work->source);
    source__release(&work->before_source);
    free(work->title);
    free(work->before_name);
    free(work->after_name);
}

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

static const struct group *choose_group(const struct work *work)
{
    if (!work->request->group && work->before_request && are_different_threads(work->before_request, work->request))
        return &group_compared;
    return work->request->group ? work->request->group : work->format->group;
}

static void take_profile(struct work *work, struct profile *changed)
{
    profile__free(work->profile);
    work->profile = changed;
}

// Leaves out, and puts together, as the request says.
static int change_profile(struct work *work, struct fault *fault)
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

static enum profile_grain grain_of(const struct work *work)
{
    if (work->request->collapse)
        return PROFILE_BY_FUNCTION;
    if (work->format->subject == FORMAT_FRAMES)
        return PROFILE_BY_FRAME;
    return work->request->lines || work->format->by_line ? PROFILE_BY_LINE : PROFILE_BY_FUNCTION;
}

static int add_profile(struct work *work, struct fault *fault)
{
    struct profile_options options = {
        .grain = grain_of(work),
        .no_inline = work->request->no_inline,
        .names_only = work->format->names_only && !work->request->collapse,
        .group = choose_group(work),
        .sides = work->before_request ? 2 : 1,
    };
    struct source *source = &work->source, *before = &work->before_source;
    unsigned side = work->before_request ? 1 : 0;
    source->query.is_coarse = before->query.is_coarse = false;
    if (options.grain == PROFILE_BY_FUNCTION) {
        source->query.is_coarse = is_long(&source->query);
        before->query.is_coarse = is_long(&before->query);
    }
    int err = profile__new(&options, &work->profile);
    if (!err && before->reader)
        err = fold__store(work->profile, 0, before->reader, &before->query, fault, &before->extent);
    if (!err)
        err = fold__store(work->profile, side, source->reader, &source->query, fault, &source->extent);
    if (!err)
        err = change_profile(work, fault);
    if (err)
        return err;
    work->picture.profile = work->profile;
    work->picture.total = profile__total(work->profile, side);
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

static int add_heatmap(struct work *work, struct fault *fault)
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

static int add_histograms(struct work *work, struct fault *fault)
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
static int print_title(const struct work *work, const char *filter, const char *before_filter, char **ret_title)
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

static int set_title(struct work *work)
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

static int set_before(struct work *work, struct fault *fault)
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
static bool draws_buckets_instead(const struct work *work)
{
    return work->source.event->is_histogram && !work->picture.total.samples && work->format->of_buckets &&
           !work->before_request && !work->request->group && !stack_filter__is_set(&work->request->stacks);
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

static int write_picture(struct work *work, const char *output_path, struct fault *fault)
{
    _cleanup_(output__freep) struct output *output = NULL;
    work->picture.output = output_path;
    int err = output__open(output_path, fault, &output);
    if (!err)
        err = work->format->write(&work->picture, output__file(output), fault);
    return err ? err : output__commit(take_pointer(output), fault);
}

// Values are kept by bucket: an end of the range that lies inside of one has taken all of it.
static void word_buckets(const struct work *work, struct report_summary *summary)
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

static bool holds_event(const struct work *work, const char *name)
{
    bool holds = strcmp(work->source.event->name, name) == 0;
    for (size_t i = 0; i < work->picture.other_count; i++)
        holds |= strcmp(work->other_pictures[i]->event->name, name) == 0;
    return holds;
}

// The store's events that the report does not show.
static void list_others(const struct work *work, struct report_summary *summary)
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

static void summarize(const struct work *work, struct report_summary *ret_summary)
{
    *ret_summary = (struct report_summary){
        .samples = work->picture.total.samples,
        .value = work->picture.total.value,
        .since_ns = work->picture.since_ns,
        .until_ns = work->picture.until_ns,
        .shows_losses = work->format->shows_losses,
        .lacks_lines = grain_of(work) != PROFILE_BY_FUNCTION &&
                       (work->source.extent.is_folded || work->before_source.extent.is_folded),
    };
    word_buckets(work, ret_summary);
    if (work->source.has_others) {
        snprintf(ret_summary->event, sizeof(ret_summary->event), "%s", work->source.event->name);
        list_others(work, ret_summary);
    }
    loss_list__print(&work->source.losses, ret_summary->losses, sizeof(ret_summary->losses));
}

// 0 too where the event has no stacks in that range.
static int add_other(struct work *work, struct report_request *request, uint32_t *nodes, struct fault *fault)
{
    struct work *other = &work->others[work->picture.other_count];
    struct fault own = {0};
    *other = (struct work){.request = request, .format = work->format};
    int err = source__open(work->source.path, request, false, &own, &other->source);
    if (!err)
        err = make_picture(other, &own);
    bool has_stacks = !err && other->format == work->format;
    bool fits = has_stacks && work->picture.other_count < LIMIT_FLAME_EVENTS &&
                profile__node_count(other->profile) <= LIMIT_FLAME_EVENTS_NODES - *nodes;
    if (has_stacks && !fits)
        list_name(work->left_out, sizeof(work->left_out), other->source.event->name);
    if (fits) {
        *nodes += profile__node_count(other->profile);
        work->other_pictures[work->picture.other_count++] = &other->picture;
    } else
        work__release(other);
    if (!err || err == -ENODATA)
        return 0;
    *fault = own;
    return err;
}

// The page of a store without a chosen event has all of those with stacks.
static int add_others(struct work *work, struct report_request *request, struct fault *fault)
{
    uint32_t nodes = 0;
    int err = 0;
    if (!work->format->holds_events || !work->source.has_others || work->source.query.has_buckets)
        return 0;
    work->others = calloc(LIMIT_FLAME_EVENTS + 1, sizeof(*work->others));
    if (!work->others)
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

int report__write(const char *store_path, const struct report_request *request, const char *output,
                  struct report_summary *ret_summary, struct fault *fault)
{
    _cleanup_(work__release) struct work work = {.request = request};
    struct report_request of_others = *request;
    int err = format_choice__make(request, output, fault, &work.format);
    if (!err)
        err = source__open(store_path, request, format__has_buckets(work.format), fault, &work.source);
    if (!err)
        err = make_picture(&work, fault);
    if (!err)
        err = add_others(&work, &of_others, fault);
    if (!err)
        err = write_picture(&work, output, fault);
    if (!err && ret_summary)
        summarize(&work, ret_summary);
    return err;
}

static int check_comparable(const struct work *work, struct fault *fault)
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
    _cleanup_(work__release) struct work work = {.request = after, .before_request = before};
    int err = format_choice__make(after, output, fault, &work.format);
    if (!err)
        err = source__open(before_path, before, format__has_buckets(work.format), fault, &work.before_source);
    if (!err)
        err = source__open(after_path, after, format__has_buckets(work.format), fault, &work.source);
    if (!err)
        err = check_comparable(&work, fault);
    if (!err)
        err = make_picture(&work, fault);
    if (!err)
        err = set_before(&work, fault);
    if (!err)
        err = write_picture(&work, output, fault);
    if (!err && ret_summary)
        summarize(&work, ret_summary);
    return err;
}
