// The time axis of time lines and heat maps: a range, parted into columns of the same length.
#ifndef HEARTH_REPORT_HISTOGRAMS_COLUMNS_H
#define HEARTH_REPORT_HISTOGRAMS_COLUMNS_H

#include <stdint.h>
#include <stdio.h>

#include "store/store_types.h"

struct columns {
    uint64_t since_ns, until_ns;
    uint32_t count;
    double step_ns;
    double *covered_ns; // of each column, how long there was a recording
};

int columns__make(uint64_t since_ns, uint64_t until_ns, uint32_t count, struct columns *ret_columns);
void columns__release(struct columns *columns);

// The columns that an interval is in: the first, and one above the last. Intervals as long as a column are in one each,
// though no two are of exactly the same length.
void columns__of(const struct columns *columns, const struct store_interval *interval, uint32_t *ret_first,
                 uint32_t *ret_end);
// The part of the interval that is in a column. Those of all columns sum up to 1, but for what is outside the range.
double columns__part(const struct columns *columns, const struct store_interval *interval, uint32_t column);

// Adds the interval to covered_ns.
void columns__cover(struct columns *columns, const struct store_interval *interval);
// "since":..,"until":..,"step":..,"count":..,"covered":[..], in seconds: a part of a JSON object.
void columns__put(const struct columns *columns, FILE *file);

#endif
