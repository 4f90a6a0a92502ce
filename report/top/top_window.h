// The last seconds of a recording, read from its stores while it goes on: the profiles that a live table is made of.
#ifndef HEARTH_REPORT_TOP_TOP_WINDOW_H
#define HEARTH_REPORT_TOP_TOP_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "report/profile/layout.h"
#include "report/profile/loss_list.h"
#include "report/profile/stack_filter.h"
#include "store/base/fault.h"

struct top_window_request {
    const char *const *paths; // of the stores, each whole up to its last interval; one that is not there is passed over
    size_t path_count;
    const char *event;
    uint64_t since_ns; // CLOCK_REALTIME
    struct stack_filter stacks;
};

struct top_window {
    struct profile *by_process, *by_unit;
    enum layout_measure measure;
    char unit[32];
    uint64_t since_ns, until_ns; // of the intervals
    uint64_t samples;
    struct loss_list losses;
};

// Some milliseconds: as many as a report of so many seconds takes. On failure nothing is to be released.
int top_window__read(const struct top_window_request *request, struct fault *fault, struct top_window *ret_window);
void top_window__release(struct top_window *window);

#endif
