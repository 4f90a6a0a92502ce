// A histogram is kept twice where it was recorded with stacks. The stored ones are exact, know their extremes and what
// was unmatched, and have the keys that `hearth hist --by` made. The values beside the stacks know threads: they answer
// where threads, or some buckets alone, are asked for. The extremes are then the ends of buckets.
#include "report/query/buckets.h"
#include "store/reader/reader_questions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct gathering {
    struct source *source;
    struct histogram_list *list;
    const struct group *group; // NULL: all are one
    uint64_t stored;           // how many there are, whether they are added or not
};

static int find(struct gathering *gathering, const char *key, struct histogram **ret_histogram)
{
    const struct store_event *event = gathering->source->event;
    return histogram_list__find(gathering->list, event->name, event->unit, key, ret_histogram);
}

static int add_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct gathering *gathering = context;
    struct store_reader *reader = gathering->source->reader;
    struct histogram *histogram;
    char key[GROUP_NAME_BYTES] = "";
    if (!value->bucket || !value->count)
        return 0;
    if (gathering->group) {
        const struct store_thread *thread = store_reader__thread(reader, value->thread);
        gathering->group->key(store_reader__process(reader, thread->process), thread, key);
    }
    int err = find(gathering, key, &histogram);
    if (err)
        return err;
    histogram__add_bucket(histogram, value->bucket - 1u, value->count, value->value);
    fold_extent__widen(&gathering->source->extent, &row->interval);
    return 0;
}

static int add_stored(const struct store_interval_row *row, const struct store_histogram *stored, void *context)
{
    struct gathering *gathering = context;
    struct histogram *histogram;
    int err = find(gathering, stored->key, &histogram);
    if (!err)
        err = histogram__add_counts(histogram, stored->counts, stored->count_of_buckets, stored->sum, stored->min,
                                    stored->max);
    if (err)
        return err;
    histogram->unmatched += stored->unmatched;
    fold_extent__widen(&gathering->source->extent, &row->interval);
    return 0;
}

static int count_stored(const struct store_interval_row *row, const struct store_histogram *stored, void *context)
{
    struct gathering *gathering = context;
    (void)row;
    (void)stored;
    gathering->stored++;
    return 0;
}

static bool asks_for_values(const struct source *source, const struct report_request *request)
{
    return request->by || request->has_bucket_low || request->has_bucket_high ||
           store_query__chooses_threads(&source->query);
}

static int from_values(struct gathering *gathering, struct fault *fault)
{
    const struct source *source = gathering->source;
    int err = store_reader__values(source->reader, &source->query, fault, add_value, gathering);
    if (err || gathering->list->count || source->event->is_doubled)
        return err;
    err = store_reader__histograms(source->reader, &source->query, fault, count_stored, gathering);
    if (err || !gathering->stored)
        return err;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "'%s' was recorded without stacks: which thread each of its values is of is not known, nor "
                           "what those of one bucket add up to; `hearth hist --stacks` keeps both",
                           source->event->name);
}

static int from_all(struct gathering *gathering, struct fault *fault)
{
    const struct source *source = gathering->source;
    int err = store_reader__histograms(source->reader, &source->query, fault, add_stored, gathering);
    return err || source->event->is_doubled
               ? err
               : store_reader__values(source->reader, &source->query, fault, add_value, gathering);
}

int buckets__gather(struct source *source, const struct report_request *request, struct histogram_list *list,
                    struct fault *fault)
{
    struct gathering gathering = {.source = source, .list = list, .group = request->by};
    if (!source->event->is_histogram)
        return source__no_buckets(source, fault);
    int err = asks_for_values(source, request) ? from_values(&gathering, fault) : from_all(&gathering, fault);
    if (!err)
        histogram_list__sort(list);
    return err;
}
