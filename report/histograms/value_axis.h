// A logarithmic axis of values, with round numbers in the unit that a person reads: 1 us, 10 us, 100 us, 1 ms. The axis
// goes through 0 to values below: a place is the logarithm of 1 + magnitude, which above a few tens is that of the
// value.
#ifndef HEARTH_REPORT_HISTOGRAMS_VALUE_AXIS_H
#define HEARTH_REPORT_HISTOGRAMS_VALUE_AXIS_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/histogram.h"

struct value_axis {
    const char *unit;
    double low, high; // logarithms; a fresh one has low above high
};

// A fresh axis holds nothing; these widen it. finish makes it at least two powers of two long.
struct value_axis value_axis__new(const char *unit);
void value_axis__hold(struct value_axis *axis, uint32_t bucket);
void value_axis__hold_all(struct value_axis *axis, const struct histogram *histogram);
void value_axis__finish(struct value_axis *axis);

// From 0, the least, to 1.
double value_axis__place(const struct value_axis *axis, double value);

struct value_tick {
    double place;
    char words[24];
};
#define VALUE_TICKS_MAX 64
// Round values whose places are at least least_gap apart, as many as there are so.
size_t value_axis__ticks(const struct value_axis *axis, double least_gap, struct value_tick ret_ticks[VALUE_TICKS_MAX]);

#endif
