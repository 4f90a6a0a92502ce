#include "collector/source.h"

#include <errno.h>

#include "collector/source_perf.h"

// The one list of kinds of events. The first row whose parse knows the spelling wins.
const struct source sources[] = {
    {"cpu", "on-CPU samples: cycles where the PMU has them, else cpu-clock", "samples", "source_perf",
     source_perf__parse_cpu, NULL, source_perf__attach},
    {0},
};

int source__parse(struct event *event, struct fault *fault)
{
    for (const struct source *source = sources; source->spelling; source++) {
        event->source = source;
        int err = source->parse(event, fault);
        if (err != -ENOENT)
            return err;
    }
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown event '%s'; `hearth record -h` lists the kinds",
                           event->spelled);
}
