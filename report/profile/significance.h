// Whether a share has changed or only seems so: samples are counts, and counts vary by chance.
//
// If a function had the same share in both ranges, each of its `before + after` samples would have fallen into the
// second one with the probability after_total / (before_total + after_total): a binomial law, tested on both sides
// (Przyborowski and Wilenski's conditional test of two Poisson rates). Samples of one burst of work are not independent
// of each other, so that a small p is where to look first, not a proof.
#ifndef HEARTH_REPORT_PROFILE_SIGNIFICANCE_H
#define HEARTH_REPORT_PROFILE_SIGNIFICANCE_H

#include <stddef.h>
#include <stdint.h>

// The probability of a difference at least as large where there is none: 0 to 1; 1 where nothing was counted.
double significance__p(uint64_t before, uint64_t before_total, uint64_t after, uint64_t after_total);

// Of many tests some seem significant by chance: turns each p into the least rate of false ones at which it would be
// called significant (Benjamini and Hochberg). 0, or -ENOMEM.
int significance__adjust(double *ps, size_t count);

#endif
