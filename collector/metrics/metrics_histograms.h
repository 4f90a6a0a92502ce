// Histograms of intervals, added up by event and key into the totals.
#ifndef HEARTH_COLLECTOR_METRICS_METRICS_HISTOGRAMS_H
#define HEARTH_COLLECTOR_METRICS_METRICS_HISTOGRAMS_H

#include "collector/metrics/metrics_totals.h"
#include "store/store_types.h"

// `unit`: of the event's values, "ns", "bytes", ... With more keys than LIMIT_METRICS_HISTOGRAMS allows, the key of
// those that come later is METRICS_OTHERS.
void metrics_histograms__add(struct metrics_totals *totals, const char *event, const char *unit,
                             const struct store_histogram *histogram);

#endif
