// The sum of several intervals: values, histograms, losses and cost.
#ifndef HEARTH_STORE_DIRECTORY_INTERVAL_SUM_H
#define HEARTH_STORE_DIRECTORY_INTERVAL_SUM_H

#include "store/store_types.h"

struct interval_sum;

int interval_sum__new(struct interval_sum **ret_sum);
void interval_sum__free(struct interval_sum *sum);
void interval_sum__clear(struct interval_sum *sum);

// -ENOMEM. Names and keys in the arguments must live until the clear. Events of values and histograms
// are the writer's.
int interval_sum__add(struct interval_sum *sum, const struct store_interval *interval);
int interval_sum__add_value(struct interval_sum *sum, const struct store_value *value);
int interval_sum__add_histogram(struct interval_sum *sum, uint32_t event, const struct store_histogram *histogram);

// How many intervals were added since the clear, and their sum; values are settled (store/values.h). Borrowed until the
// next call.
uint32_t interval_sum__count(const struct interval_sum *sum);
struct interval_total {
    struct store_interval interval;
    const struct store_value *values;
    size_t value_count;
    const struct store_histogram *histograms;
    size_t histogram_count;
};
void interval_sum__total(struct interval_sum *sum, struct interval_total *ret_total);

#endif
