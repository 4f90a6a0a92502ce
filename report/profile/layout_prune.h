// A layout with no more rows than a picture can have: the lightest subtrees go, whole.
//
//   depth  label              self  total
//   2      serve              5     90
//   3      parse              80    80
//   3      [lighter frames]   5     5       three callees of serve of 2, 2 and 1
#ifndef HEARTH_REPORT_PROFILE_LAYOUT_PRUNE_H
#define HEARTH_REPORT_PROFILE_LAYOUT_PRUNE_H

#include "report/profile/layout.h"

#define LAYOUT_LIGHTER UINT32_MAX // the label of a row that stands for all lighter children of its parent, the last one

// Leaves at most `limit` rows (2 or more). Selves and totals of the rows that stay do not change.
// ret_cut: how many rows went.
int layout__prune(struct layout *layout, uint32_t limit, uint32_t *ret_cut);

#endif
