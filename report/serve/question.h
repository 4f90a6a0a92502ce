// A question: the address of a request, parted into route and parameters, as the child that answers it gets it.
//
//   /api/timeline?event=cpu&from=@1795262400&to=@1795266000&by=unit&comm=nginx
//
// But for those that a route takes itself, parameters are the options of `hearth report` by their long names
// (filter_rows); `from` and `to` are `since` and `until`.
#ifndef HEARTH_REPORT_SERVE_QUESTION_H
#define HEARTH_REPORT_SERVE_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/query/filter.h"
#include "store/base/limits.h"

struct question {
    const char *store, *sources; // sources: NULL, none
    struct {
        const char *name, *value; // borrowed from the connection
    } parameters[LIMIT_SERVE_PARAMETERS];
    size_t count;
    bool is_too_long; // there were more
    bool takes_gzip;  // the client does, and the answer is not compressed by itself
};

void question__add(struct question *question, const char *name, const char *value);
// NULL: there is none.
const char *question__find(const struct question *question, const char *name);
// The request that the parameters mean, but for those of `own`, ended by NULL. The filter must outlive the request.
// -EINVAL and EXIT_CODE_USAGE.
int question__request(const struct question *question, const char *const *own, struct filter *filter,
                      struct fault *fault, struct report_request *ret_request);

// The parameter "columns", from 1 to LIMIT_SERVE_COLUMNS.
int question__columns(const struct question *question, struct fault *fault, uint32_t *ret_count);

#endif
