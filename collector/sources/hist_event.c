#include "collector/sources/hist_event.h"

#include <errno.h>

int hist_event__misplaced(const struct event *event, const char *option, struct fault *fault)
{
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s means nothing for '%s'", option, event->spelled);
}

int hist_event__configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    const struct hist_options *options = event->hist;
    struct wire_hist_config config = {
        .by = (uint8_t)options->by,
        .by_argument = options->by_argument,
        .argument = options->argument,
        .bytes = options->bytes,
        .is_signed = options->is_signed,
        .by_key = options->has_key,
        .stacks = options->stacks,
        .is_on = 1,
        .group = event->hist_group,
        .all_groups = event->hist_groups,
        .by_bytes = options->by_bytes,
        .by_is_signed = options->by_is_signed,
        .has_type = options->has_type,
        .by_has_type = options->by_has_type,
        .number = event->hist_number,
    };
    return loaded__set(loaded, "own_hist", &config, sizeof(config), fault);
}

int hist_event__check_plain(const struct event *event, struct fault *fault)
{
    if (event->hist->has_value)
        return hist_event__misplaced(event, "--value", fault);
    if (event->hist->has_key)
        return hist_event__misplaced(event, "--key", fault);
    return event->hist->by == WIRE_HIST_BY_ARGUMENT ? hist_event__misplaced(event, "--by argN", fault) : 0;
}
