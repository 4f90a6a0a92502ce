// /api/flame?event=&from=&to=&FILTERS&format=: a report of a range, in any format of `hearth report`; by itself, the
// data of the flame graph's page. /api/diff: the same of two ranges, of which the one before has its ends in
// before-from and before-to.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/query/report.h"
#include "report/serve/answers.h"

static const char *const own[] = {"format", "by", "function", "download", "before-from", "before-to", NULL};

static int read_request(const struct question *question, struct filter *filter, struct fault *fault,
                        struct report_request *ret_request)
{
    const char *format = question__find(question, "format"), *by = question__find(question, "by");
    int err = question__request(question, own, filter, fault, ret_request);
    if (err)
        return err;
    ret_request->format = !format ? "flame-data" : strcmp(format, "html") == 0 ? "flame" : format;
    ret_request->function = question__find(question, "function");
    ret_request->sources = question->sources;
    ret_request->has_no_sources = !question->sources;
    err = by ? group__option(by, &ret_request->by, fault) : 0;
    if (err)
        fault->code = EXIT_CODE_USAGE;
    return err;
}

int answer_flame(const struct question *question, struct fault *fault)
{
    struct filter filter = {0};
    struct report_request request;
    int err = read_request(question, &filter, fault, &request);
    return err ? err : report__write(question->store, &request, "-", NULL, fault);
}

int answer_diff(const struct question *question, struct fault *fault)
{
    struct filter filter = {0}, before_filter;
    struct report_request request, before;
    int err = read_request(question, &filter, fault, &request);
    before_filter = filter;
    before_filter.since = question__find(question, "before-from");
    before_filter.until = question__find(question, "before-to");
    if (!err && (!before_filter.since || !before_filter.until))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "a difference needs before-from and before-to, beside from and to");
    if (!err)
        err = filter__request(&before_filter, fault, &before);
    if (err)
        return err;
    before.format = request.format;
    before.title = "before";
    request.title = "after";
    return report__compare(question->store, &before, question->store, &request, "-", NULL, fault);
}
