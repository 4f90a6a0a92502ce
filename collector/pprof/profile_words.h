// The parameters of /debug/pprof/profile: `seconds`, and filters of `hearth report` by their long names.
//
//   /debug/pprof/profile?seconds=30&event=off-cpu&unit=nginx
#ifndef HEARTH_COLLECTOR_PPROF_PROFILE_WORDS_H
#define HEARTH_COLLECTOR_PPROF_PROFILE_WORDS_H

#include "collector/metrics/metrics_totals.h"
#include "collector/pprof/profile_order.h"
#include "report/serve/question.h"
#include "store/base/fault.h"

// Fills the words of the order, and reads no file. -EINVAL: a word means nothing, or no such event is sampled.
int profile_words__read(const struct question *question, const struct metrics_totals *totals, struct fault *fault,
                        struct profile_order *order, uint32_t *ret_seconds);

#endif
