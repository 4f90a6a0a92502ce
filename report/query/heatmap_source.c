#include "report/query/heatmap_source.h"

#include "store/base/wide.h"
#include "store/reader/reader_questions.h"

#define COARSE_STEP_NS 3600e9

struct gathering {
    struct source *source;
    struct heatmap *heatmap;
};

static int add_histogram(const struct store_interval_row *row, const struct store_histogram *histogram, void *context)
{
    struct gathering *gathering = context;
    for (uint32_t i = 0; i < histogram->count_of_buckets && i < BUCKETS_TOTAL; i++)
        if (histogram->counts[i])
            heatmap__add(gathering->heatmap, &row->interval, i, histogram->counts[i]);
    gathering->heatmap->sum = saturated_sum(gathering->heatmap->sum, saturated_u64(histogram->sum));
    fold_extent__widen(&gathering->source->extent, &row->interval);
    return 0;
}

static int add_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct gathering *gathering = context;
    if (!value->bucket)
        return 0;
    heatmap__add(gathering->heatmap, &row->interval, value->bucket - 1u, value->count);
    gathering->heatmap->sum = saturated_sum(gathering->heatmap->sum, value->value);
    fold_extent__widen(&gathering->source->extent, &row->interval);
    return 0;
}

static int cover(const struct store_interval_row *row, void *context)
{
    struct gathering *gathering = context;
    columns__cover(&gathering->heatmap->columns, &row->interval);
    return 0;
}

// Stored histograms are exact; the values beside stacks know threads.
static int read_values(struct gathering *gathering, struct fault *fault)
{
    struct source *source = gathering->source;
    bool of_threads = store_query__chooses_threads(&source->query) || source->query.has_buckets;
    source->query.is_coarse = gathering->heatmap->columns.step_ns >= COARSE_STEP_NS;
    int err = store_reader__intervals(source->reader, &source->query, fault, cover, gathering);
    if (!err && !of_threads)
        err = store_reader__histograms(source->reader, &source->query, fault, add_histogram, gathering);
    if (!err && (of_threads || !source->event->is_doubled))
        err = store_reader__values(source->reader, &source->query, fault, add_value, gathering);
    return err;
}

int heatmap_source__gather(struct source *source, struct columns *columns, struct fault *fault,
                           struct heatmap *ret_heatmap)
{
    int err = heatmap__make(columns, source->event->name, source->event->unit, ret_heatmap);
    if (err)
        return err;
    ret_heatmap->has_stacks = source->event->is_doubled;
    if (!source->event->is_histogram)
        return source__no_buckets(source, fault);
    struct gathering gathering = {source, ret_heatmap};
    return read_values(&gathering, fault);
}
