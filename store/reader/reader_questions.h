// The questions about a range of a store. Each function walks over the intervals of the range, and calls `row` for each
// thing that it finds; a `row` that returns non-zero ends the walk with that result.
#ifndef HEARTH_STORE_READER_READER_QUESTIONS_H
#define HEARTH_STORE_READER_READER_QUESTIONS_H

#include "store/reader/reader.h"

// Each value of the range, interval by interval; a row function that returns non-zero ends the walk with that result.
int store_reader__values(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                         int (*row)(const struct store_interval_row *interval, const struct store_value *value,
                                    void *context),
                         void *context);
// The intervals of the range themselves: losses, cost. Of the query, only the range counts.
int store_reader__intervals(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                            int (*row)(const struct store_interval_row *interval, void *context), void *context);
// The sums of each event in each interval: kept beside the values, so that nothing is unpacked. Of the query, the range
// and the event count.
struct store_total {
    uint32_t event;
    uint64_t samples, value;
};
int store_reader__totals(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                         int (*row)(const struct store_interval_row *interval, const struct store_total *total,
                                    void *context),
                         void *context);
// The sums of each process in each interval, kept beside the values too. Of the query, all but threads counts; its comm
// is the process's own.
struct store_process_total {
    uint32_t event, process; // process 0: not known
    uint64_t samples, value;
};
int store_reader__process_totals(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                                 int (*row)(const struct store_interval_row *interval,
                                            const struct store_process_total *total, void *context),
                                 void *context);
// The stored histograms. Of the query, the range and the event count.
int store_reader__histograms(struct store_reader *reader, const struct store_query *query, struct fault *fault,
                             int (*row)(const struct store_interval_row *interval,
                                        const struct store_histogram *histogram, void *context),
                             void *context);

#endif
