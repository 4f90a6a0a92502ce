// The addresses that `hearth serve` answers.
#ifndef HEARTH_REPORT_SERVE_ROUTES_H
#define HEARTH_REPORT_SERVE_ROUTES_H

#include <stddef.h>

#include "report/serve/answers.h"

struct route {
    const char *path;
    const char *type; // of the body; NULL: by the parameter "format"
    // A file of the page, or a question.
    const char *start, *end;
    answer_fn *answer;
};

const struct route *routes__find(const char *path); // NULL: there is none

// A body by its format: its type, the policy that a browser holds it to, and the name of a download.
struct body {
    const char *type, *policy, *file;
};
void routes__describe(const struct route *route, const struct question *question, struct body *ret_body);
// The body is compressed in its own format.
bool routes__packs_itself(const struct route *route, const struct question *question);

#endif
