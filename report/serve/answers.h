// The answers of `hearth serve`: each is computed by a child of the server, which runs one of these functions, and is
// what the function writes to stdout.
#ifndef HEARTH_REPORT_SERVE_ANSWERS_H
#define HEARTH_REPORT_SERVE_ANSWERS_H

#include "report/serve/question.h"
#include "store/base/fault.h"

typedef int answer_fn(const struct question *question, struct fault *fault);

answer_fn answer_events;   // the events of the store, and when it begins and ends
answer_fn answer_timeline; // an event's sums over time, by group
answer_fn answer_heatmap;  // a histogram over time
answer_fn answer_flame;    // a report in any of its formats
answer_fn answer_diff;     // the same of two ranges

// The words of an answer that was not given, as JSON: {"error":"..."}.
void answer__put_error(const struct fault *fault, int err);

#endif
