// A profile in the order in which it is drawn: depth first, the root first, in one measure.
//
//   depth  label    self  total
//   0      all      0     7
//   1      nginx    0     7
//   2      main     1     7
//   3      memcpy   2     2
//   3      serve    4     4       total = self + the children's totals; the root's is that of the profile
//
// Made in linear time (by name: labels are sorted once; by weight: nodes are).
#ifndef HEARTH_REPORT_PROFILE_LAYOUT_H
#define HEARTH_REPORT_PROFILE_LAYOUT_H

#include "report/profile/profile.h"

enum layout_order {
    LAYOUT_BY_NAME,
    LAYOUT_BY_WEIGHT, // the heaviest child first
};

enum layout_measure {
    LAYOUT_SAMPLES,
    LAYOUT_VALUE,
};

struct layout_row {
    uint32_t node, label, depth;
    uint64_t self, total;
};

#define LAYOUT_BOTH 2u // instead of a side: the rows' weights are both sides' sums

struct layout {
    struct layout_row *rows;
    uint64_t (*sides)[2]; // of LAYOUT_BOTH: each row's self on each side; else NULL
    uint32_t count;
    uint32_t depth; // of the deepest row
};

int layout__make(const struct profile *profile, unsigned side, enum layout_measure measure, enum layout_order order,
                 struct layout *ret_layout);
void layout__release(struct layout *layout);

// Each label's own weight, and the weight of the stacks it stands in (once for each, however often it recurs there).
struct layout_sum {
    uint32_t label;
    uint64_t self, total;
};
// By label; `profile__label_count` of them.
int layout__sum(const struct layout *layout, uint32_t label_count, struct layout_sum **ret_sums);

#endif
