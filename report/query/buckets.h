// The histograms of a range: what `hearth report -f hist` draws.
#ifndef HEARTH_REPORT_QUERY_BUCKETS_H
#define HEARTH_REPORT_QUERY_BUCKETS_H

#include "report/query/report_request.h"
#include "report/query/source.h"
#include "store/base/histogram.h"

// Adds them to the list, the heaviest first, and widens the source's extent by their intervals. None: the list stays
// empty. -EINVAL and EXIT_CODE_USAGE where the event has no buckets, or where what is asked for was not recorded.
int buckets__gather(struct source *source, const struct report_request *request, struct histogram_list *list,
                    struct fault *fault);

#endif
