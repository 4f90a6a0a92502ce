// /api/heatmap?event=&from=&to=&columns=: a histogram over time, as report/histograms/heatmap.h has it.
#include <stdio.h>

#include "report/query/heatmap_source.h"
#include "report/query/time_range.h"
#include "report/serve/answers.h"
#include "store/base/cleanup.h"

int answer_heatmap(const struct question *question, struct fault *fault)
{
    static const char *const own[] = {"columns", NULL};
    _cleanup_(source__release) struct source source = {0};
    _cleanup_(columns__release) struct columns columns = {0};
    _cleanup_(heatmap__release) struct heatmap heatmap = {0};
    struct filter filter = {0};
    struct report_request request;
    uint32_t count;
    int err = question__request(question, own, &filter, fault, &request);
    if (!err)
        err = source__open(question->store, &request, SOURCE_HISTOGRAM, fault, &source);
    if (!err)
        err = question__columns(question, fault, &count);
    if (!err)
        err = time_range__columns(&request, source.reader, count, count, fault, &columns);
    if (!err)
        err = heatmap_source__gather(&source, &columns, fault, &heatmap);
    if (!err)
        heatmap__put_json(&heatmap, stdout);
    return err;
}
