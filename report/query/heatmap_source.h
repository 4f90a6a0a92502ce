// Reads a heat map from a store.
#ifndef HEARTH_REPORT_QUERY_HEATMAP_SOURCE_H
#define HEARTH_REPORT_QUERY_HEATMAP_SOURCE_H

#include "report/histograms/heatmap.h"
#include "report/query/source.h"

// Of the source's event and query, in these columns, which it takes over in any case. Widens the source's extent. An
// event without buckets: -EINVAL and EXIT_CODE_USAGE.
int heatmap_source__gather(struct source *source, struct columns *columns, struct fault *fault,
                           struct heatmap *ret_heatmap);

#endif
