// Each function of a difference: its weights on both sides, and whether the change of its share is more than
// chance. Computed here once for every format, so that a table and a page never disagree.
#ifndef HEARTH_REPORT_PROFILE_FUNCTION_CHANGES_H
#define HEARTH_REPORT_PROFILE_FUNCTION_CHANGES_H

#include "report/profile/layout.h"

struct share_change {
    uint64_t weights[2];  // before and after
    double before, after; // shares of all
    double p;             // adjusted for the number of functions; below 0: nothing to test
};

struct function_change {
    struct share_change self, total;
};

// By label, profile__label_count() of them, of a profile with two sides. A comm or thread stands for its samples
// without a stack only. Only counts have a law of chance: of values (time, bytes) one large one may be all, so these
// have no p.
int function_changes__make(const struct profile *profile, enum layout_measure measure,
                           struct function_change **ret_changes);

#endif
