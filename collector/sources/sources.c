#include "collector/sources/sources.h"

#include <errno.h>
#include <stdio.h>

#include "store/base/safe_text.h"

const struct source *const sources[] = {
#define SOURCE(name) &source_##name,
#include "collector/sources/sources.def"
#undef SOURCE
    NULL,
};

int sources__parse(struct event *event, struct fault *fault)
{
    bool is_histogram = event->hist != NULL;
    for (const struct source *const *source = sources; *source; source++) {
        if ((*source)->is_histogram != is_histogram)
            continue;
        event->source = *source;
        int err = event->source->parse(event, fault);
        if (err != -ENOENT)
            return err;
    }
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown %s '%s'; `%s` lists the kinds",
                           is_histogram ? "probe" : "event", event->spelled,
                           is_histogram ? "hearth hist -h" : "hearth list events");
}

void sources__print(FILE *file, bool is_histogram)
{
    for (const struct source *const *source = sources; *source; source++)
        if ((*source)->is_histogram == is_histogram)
            safe_text__print(file, "  %-28s %s", (*source)->spelling, (*source)->summary);
}
