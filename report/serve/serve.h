// The server of `hearth serve`: one thread, which admits, and a child for each question (child.h).
#ifndef HEARTH_REPORT_SERVE_SERVE_H
#define HEARTH_REPORT_SERVE_SERVE_H

#include "report/serve/admission.h"
#include "store/system/listener.h"

struct serve_options {
    const char *store;
    const char *sources; // NULL: the text of source files is not shown
    struct listener listener;
    struct admission admission;
};

// Until SIGINT or SIGTERM.
int serve__run(const struct serve_options *options, struct fault *fault);

#endif
