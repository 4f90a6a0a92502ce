// The range of a picture over time: the request's, or all that the store's intervals cover; and its columns.
#ifndef HEARTH_REPORT_QUERY_TIME_RANGE_H
#define HEARTH_REPORT_QUERY_TIME_RANGE_H

#include "report/histograms/columns.h"
#include "report/query/report_request.h"
#include "store/base/fault.h"
#include "store/reader/reader.h"

// count 0: as many columns as there are intervals of about the same length, at most `most`, and the range holds each
// interval that it touches whole, since other reports count it whole. -ENODATA and EXIT_CODE_EMPTY without any.
int time_range__columns(const struct report_request *request, struct store_reader *reader, uint32_t count,
                        uint32_t most, struct fault *fault, struct columns *ret_columns);

#endif
