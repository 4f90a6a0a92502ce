// The time axis of time lines and heat maps: a range, parted into columns of the same length.
#ifndef HEARTH_REPORT_SERVE_COLUMNS_H
#define HEARTH_REPORT_SERVE_COLUMNS_H

#include "report/serve/question.h"
#include "store/reader/reader.h"

struct columns {
    uint64_t since_ns, until_ns;
    uint32_t count;
    double step_ns;
    double *covered_ns; // of each column, how long there was a recording
};

// The range of the request, or all that the reader's intervals cover; and the parameter "columns".
int columns__make(const struct question *question, const struct report_request *request, struct store_reader *reader,
                  struct fault *fault, struct columns *ret_columns);
void columns__release(struct columns *columns);

// The columns that an interval is in: the first, and one above the last.
void columns__of(const struct columns *columns, const struct store_interval *interval, uint32_t *ret_first,
                 uint32_t *ret_end);
// The part of the interval that is in a column. Those of all columns sum up to 1, but for what is outside the range.
double columns__part(const struct columns *columns, const struct store_interval *interval, uint32_t column);

// Adds the interval to covered_ns.
void columns__cover(struct columns *columns, const struct store_interval *interval);
// "since":..,"until":..,"step":..,"count":..,"covered":[..], in seconds: a part of a JSON object.
void columns__put(const struct columns *columns);

#endif
