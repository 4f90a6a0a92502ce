// Which stacks of a profile are shown, by the names of their functions, in pprof's words:
//
//                    a;b;c 3   a;d 2
//   focus  ^c$       a;b;c 3              stacks that hold a match
//   ignore ^c$                 a;d 2      stacks that hold none
//   hide   ^b$       a;c   3   a;d 2      all stacks, without the frames that match
//
// Comms and threads are no functions. A stack whose frames are all hidden counts for its comm itself.
#ifndef HEARTH_REPORT_PROFILE_STACK_FILTER_H
#define HEARTH_REPORT_PROFILE_STACK_FILTER_H

#include "report/profile/profile.h"
#include "store/base/fault.h"

struct stack_filter {
    const char *focus, *ignore, *hide; // extended regular expressions, found anywhere in a name; NULL: none
};

bool stack_filter__is_set(const struct stack_filter *filter);

// -EINVAL and EXIT_CODE_USAGE: one of them is no expression.
int stack_filter__check(const struct stack_filter *filter, struct fault *fault);

// A new profile of what the filter leaves, in time linear in the nodes. The reader names the frames of a profile by
// frame.
int stack_filter__apply(const struct stack_filter *filter, const struct profile *profile, struct store_reader *reader,
                        struct fault *fault, struct profile **ret_profile);

#endif
