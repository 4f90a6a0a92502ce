// A walk over the intervals of a range, one step at a time: what store_reader__values and the SQL tables are made of.
//
// The intervals of a file are listed in one short transaction; each block of values is then read in one of its own: a
// slow caller never holds a transaction open. Several walks may go on in one reader.
#ifndef HEARTH_STORE_READER_READER_WALK_H
#define HEARTH_STORE_READER_READER_WALK_H

#include "store/reader/reader_insides.h"

struct reader_walk;

// only_interval: an id of the reader; 0: all of the query's range. The words of the query are borrowed.
int reader_walk__new(struct store_reader *reader, const struct store_query *query, uint32_t only_interval,
                     struct fault *fault, struct reader_walk **ret_walk);
void reader_walk__free(struct reader_walk *walk);

// The next interval; NULL: there is none. The interval is valid until the next call.
int reader_walk__next(struct reader_walk *walk, struct fault *fault, const struct store_interval_row **ret_row);
// The next values of the interval: those of one event that the query asks for, until *ret_count is 0.
int reader_walk__values(struct reader_walk *walk, struct fault *fault, const struct store_value **ret_values,
                        size_t *ret_count);
// The next histogram of the interval; NULL: there is none.
int reader_walk__histogram(struct reader_walk *walk, struct fault *fault, const struct store_histogram **ret_histogram);

// Sums that stand beside the values.
struct reader_sum {
    uint32_t event, process; // process 0: of all
    uint64_t samples, value;
};
// The next sum of the interval; false in *ret_has: there is none.
int reader_walk__total(struct reader_walk *walk, struct fault *fault, struct reader_sum *ret_sum, bool *ret_has);
int reader_walk__process_total(struct reader_walk *walk, struct fault *fault, struct reader_sum *ret_sum,
                               bool *ret_has);

#endif
